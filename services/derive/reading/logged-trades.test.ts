import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { StreamLogError } from "#bus/stream-log.ts";
import { EventLog } from "#gateway/history/event-log.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog, tradeBatches } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LoggedTrades } from "./logged-trades.ts";

const NAME = { venue: "fake", symbol: "A-USD" };
const SUBJECT = "md.v2.fake.trades.A-USD";
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };
const SECOND_US = 1_000_000;
/** Right behind the trade of a second, which is received a microsecond before it is published. */
const behind = (second: number): number => second * SECOND_US;

/** A log with one trade in each second of a range, numbered as its seconds from `sequence` on. */
class Rig {
  readonly listed = new ListedLog();
  readonly #clock = new ManualClock();

  publish(epoch: number, from: { sequence: number; second: number }, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const publishedTimeUs = (from.second + index) * SECOND_US;
      const sequence = from.sequence + index;
      const [payload] = tradeBatches({ epoch, sequence, counts: [1], publishedTimeUs });
      this.listed.put(SUBJECT, payload!, publishedTimeUs);
    }
  }

  /** Since when all is known, and the ids of what was given. */
  async read(fromSecond: number, until: { epoch: number; sequence: number }, bytesMax?: number) {
    const metrics = createGatewayMetrics(new Registry());
    const parts = { log: this.listed, clock: this.#clock, logger: SILENT, metrics };
    const logged = new LoggedTrades({ log: new EventLog(parts), line: idleLine() }, bytesMax);
    const ids: number[] = [];
    const take = (rows: readonly { readonly tradeId: string }[]): boolean => {
      ids.push(...rows.map(({ tradeId }) => Number(tradeId)));
      return true;
    };
    const sinceUs = await logged.read(NAME, { fromUs: fromSecond * SECOND_US, until, take });
    return { sinceUs, ids };
  }
}

const upTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

function filled(): Rig {
  const rig = new Rig();
  rig.publish(4, { sequence: 0, second: 1 }, 60);
  return rig;
}

test("gives what was traded since a time up to a place, and a little before it", async () => {
  const { sinceUs, ids } = await filled().read(30, { epoch: 4, sequence: 50 });
  expect(sinceUs).toBe(30 * SECOND_US);
  // The clock of the venue may be behind: a trade of the thirtieth second may stand before it.
  expect(ids).toEqual(upTo(20, 50));
});

test("a log that begins later is whole from its first trade on", async () => {
  const rig = new Rig();
  rig.publish(4, { sequence: 30, second: 31 }, 30);
  const { sinceUs, ids } = await rig.read(30, { epoch: 4, sequence: 60 });
  expect([sinceUs, ids]).toEqual([behind(31), upTo(31, 60)]);
});

test("one with a hole is whole from behind it on", async () => {
  const rig = filled();
  rig.listed.remove(40);
  expect((await rig.read(30, { epoch: 4, sequence: 60 })).sinceUs).toBe(behind(41));
});

test("one in which the last that is wanted is missing gives nothing", async () => {
  const rig = filled();
  rig.listed.remove(40);
  expect((await rig.read(30, { epoch: 4, sequence: 40 })).sinceUs).toBeUndefined();
  expect((await filled().read(30, { epoch: 4, sequence: 61 })).sinceUs).toBeUndefined();
});

test("a publisher that goes on from another one leaves no hole, one that begins anew does", async () => {
  const goesOn = filled();
  goesOn.publish(9, { sequence: 60, second: 61 }, 10);
  expect((await goesOn.read(30, { epoch: 9, sequence: 70 })).sinceUs).toBe(30 * SECOND_US);
  const anew = filled();
  anew.publish(9, { sequence: 0, second: 61 }, 10);
  expect((await anew.read(30, { epoch: 9, sequence: 10 })).sinceUs).toBe(behind(61));
});

test("what has not traded since is whole without a trade", async () => {
  expect(await filled().read(200, { epoch: 4, sequence: 60 })).toEqual({
    sinceUs: 200 * SECOND_US,
    ids: [],
  });
  expect((await filled().read(200, { epoch: 4, sequence: 61 })).sinceUs).toBeUndefined();
});

test("more than the bytes that may be read is not known, and neither is a log that is away", async () => {
  const until = { epoch: 4, sequence: 60 };
  const [batch] = tradeBatches({ epoch: 4, counts: [1], publishedTimeUs: SECOND_US });
  const aLittle = batch!.byteLength * 10;
  expect((await filled().read(30, until, aLittle)).sinceUs).toBeUndefined();
  const away = filled();
  away.listed.failure = new StreamLogError("log-unavailable", "no answer");
  expect(await away.read(30, until)).toEqual({ sinceUs: undefined, ids: [] });
});
