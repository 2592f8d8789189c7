import { afterEach, describe, expect, test } from "vitest";
import type { LogEntry, LogStart, StreamLog } from "#bus/stream-log.ts";

/** A log with a bus that it takes events from. */
type LogStand = {
  readonly log: StreamLog;
  /** Publishes, and resolves when the log has taken it. */
  readonly publish: (subject: string, payloads: readonly string[]) => Promise<void>;
  /** Leaves the log with so many entries of all subjects at most. */
  readonly truncate: (entries: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

const TRADES = "md.v2.binance.trades.BTC-USDT";
const QUOTES = "md.v2.binance.quotes.BTC-USDT";

const textsOf = (entries: readonly LogEntry[]) =>
  entries.map(({ payload }) => new TextDecoder().decode(payload));

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** Everything of a subject from a start on, in pages of this size. */
async function readAll(log: StreamLog, subject: string, start: LogStart, entriesMax: number) {
  const entries: LogEntry[] = [];
  let from = start;
  for (;;) {
    const page = await log.read(subject, from, { entriesMax, bytesMax: 1e6 });
    entries.push(...page.entries);
    const last = page.entries.at(-1);
    if (page.isLast || last === undefined) return entries;
    from = { place: last.place + 1 };
  }
}

/** What every log does, whatever keeps it. */
export function describeStreamLog(name: string, open: () => Promise<LogStand>): void {
  describe(`a log of the kind ${name}`, () => {
    const stands: LogStand[] = [];

    const opened = async (): Promise<LogStand> => {
      const stand = await open();
      stands.push(stand);
      return stand;
    };

    afterEach(async () => {
      for (const stand of stands.splice(0)) await stand.close();
    });

    test("gives a subject back in order, whatever page size it is read with", async () => {
      const { log, publish } = await opened();
      for (let index = 1; index <= 10; index += 1) {
        await publish(TRADES, [String(index)]);
        await publish(QUOTES, [`quote ${index}`]);
      }
      for (const size of [1, 3, 10, 100]) {
        const entries = await readAll(log, TRADES, { place: 0 }, size);
        expect(textsOf(entries)).toEqual(numbered(1, 10));
        const places = entries.map(({ place }) => place);
        expect(places).toEqual([...new Set(places)].toSorted((one, other) => one - other));
      }
    });

    test("says that a page is the last one only if nothing follows it", async () => {
      const { log, publish } = await opened();
      await publish(TRADES, numbered(1, 3));
      const limits = { bytesMax: 1e6 };
      const two = await log.read(TRADES, { place: 0 }, { ...limits, entriesMax: 2 });
      expect([textsOf(two.entries), two.isLast]).toEqual([["1", "2"], false]);
      const three = await log.read(TRADES, { place: 0 }, { ...limits, entriesMax: 3 });
      expect([textsOf(three.entries), three.isLast]).toEqual([["1", "2", "3"], true]);
      const none = await log.read(TRADES, { place: 1e6 }, { ...limits, entriesMax: 3 });
      expect(none).toEqual({ entries: [], isLast: true });
    });

    test("gives no more bytes than are asked for, and one entry in any case", async () => {
      const { log, publish } = await opened();
      await publish(TRADES, ["aaaa", "bbbb", "cccc"]);
      const sizes: number[] = [];
      for (const bytesMax of [1, 7, 8, 9, 12]) {
        const { entries, isLast } = await log.read(
          TRADES,
          { place: 0 },
          { entriesMax: 9, bytesMax },
        );
        sizes.push(entries.length);
        expect(isLast).toBe(entries.length === 3);
      }
      expect(sizes).toEqual([1, 1, 2, 2, 3]);
    });

    test("finds the first entry at a place or after it, and the newest", async () => {
      const { log, publish } = await opened();
      await publish(QUOTES, ["before"]);
      await publish(TRADES, ["1"]);
      await publish(QUOTES, ["between"]);
      await publish(TRADES, ["2"]);
      const first = await log.first(TRADES, 0);
      expect(first && textsOf([first])).toEqual(["1"]);
      const second = await log.first(TRADES, (first?.place ?? 0) + 1);
      expect(second && textsOf([second])).toEqual(["2"]);
      expect(await log.first(TRADES, (second?.place ?? 0) + 1)).toBeUndefined();
      expect((await log.last(TRADES))?.place).toBe(second?.place);
      expect(await log.last("md.v2.binance.trades.NONE")).toBeUndefined();
    });

    test("begins at a time", async () => {
      const { log, publish } = await opened();
      await publish(TRADES, ["1"]);
      await new Promise((resolve) => void setTimeout(resolve, 20));
      await publish(TRADES, ["2"]);
      const second = await log.last(TRADES);
      const timeUs = (second?.storedTimeUs ?? 0) - 5_000;
      const { entries } = await log.read(TRADES, { timeUs }, { entriesMax: 9, bytesMax: 1e6 });
      expect(textsOf(entries)).toEqual(["2"]);
      expect(textsOf(await readAll(log, TRADES, { timeUs: 0 }, 9))).toEqual(["1", "2"]);
    });

    test("leaves the oldest out when its limit has cut them off", async () => {
      const { log, publish, truncate } = await opened();
      await publish(TRADES, numbered(1, 10));
      const before = await log.last(TRADES);
      await truncate(4);
      const entries = await readAll(log, TRADES, { place: 0 }, 100);
      expect(textsOf(entries)).toEqual(numbered(7, 10));
      expect((await log.last(TRADES))?.place).toBe(before?.place);
    });

    test("keeps names apart that share all but their case and their signs", async () => {
      const { log, publish } = await opened();
      await publish("md.v2.binance.trades.a=2Eb", ["dot"]);
      await publish("md.v2.binance.trades.A=2Eb", ["capital"]);
      expect(textsOf(await readAll(log, "md.v2.binance.trades.a=2Eb", { place: 0 }, 9))).toEqual([
        "dot",
      ]);
    });

    test("rejects with its own error once it is closed, as often as that is asked", async () => {
      const { log, publish } = await opened();
      await publish(TRADES, ["1"]);
      await log.close();
      await log.close();
      const limits = { entriesMax: 1, bytesMax: 1 };
      for (const ask of [
        () => log.first(TRADES, 0),
        () => log.last(TRADES),
        () => log.read(TRADES, { place: 0 }, limits),
      ]) {
        await expect(ask()).rejects.toMatchObject({ name: "StreamLogError", code: "log-closed" });
      }
    });
  });
}
