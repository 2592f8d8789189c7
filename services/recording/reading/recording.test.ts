import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  bookRow,
  centsOf,
  news,
  RecordedMarket,
  topicOf,
  tradeRow,
} from "#test/support/recorded-market.ts";
import { INDEX_NAME } from "../format/recording-index.ts";
import { Recording } from "./recording.ts";

const TRADES = topicOf("trades");

let market: RecordedMarket;
beforeEach(() => {
  market = new RecordedMarket();
});
afterEach(async () => {
  await market.remove();
});

/** Three blocks of one trade each, one second apart, in one file or in a file each. */
async function recordThree(fileBytesMax = 1e9): Promise<string> {
  const writer = await market.open({ fileBytesMax });
  for (const sequence of [1, 2, 3]) {
    writer.event(TRADES, news(tradeRow(100 + sequence), sequence));
    market.endTurn();
    await writer.flush();
    market.clock.advance(1_000);
  }
  await writer.close();
  return join(market.path, readdirSync(market.path).find((name) => name !== INDEX_NAME) ?? "");
}

describe("a file that was cut off", () => {
  test("gives all blocks that are whole, wherever it ends, and says what was left", async () => {
    const path = await recordThree();
    const whole = readFileSync(path);
    const starts: number[] = [];
    for (let at = whole.indexOf("TKWR"); at >= 0; at = whole.indexOf("TKWR", at + 1))
      starts.push(at);
    expect(starts).toHaveLength(3);
    const ends = [...starts.slice(1), whole.length];
    // Every byte of the last block, and some of those before it.
    const lengths = [ends[0] ?? 0, (ends[0] ?? 0) + 1, (ends[0] ?? 0) + 43, (ends[1] ?? 0) - 1];
    for (let length = ends[1] ?? 0; length <= whole.length; length += 1) lengths.push(length);
    for (const length of lengths) {
      writeFileSync(path, whole.subarray(0, length));
      const blocks = ends.filter((end) => end <= length).length;
      const { entries, recording } = await market.read();
      expect(centsOf(entries), `${length} bytes`).toEqual([101, 102, 103].slice(0, blocks));
      const tornBytes = length - (ends[blocks - 1] ?? 0);
      expect(recording.damage, `${length} bytes`).toEqual({ tornBytes, damagedBytes: 0 });
    }
  });

  test.each([0, 1, 43, 44, 60])("has nothing whole when it ends after %i bytes", async (length) => {
    const path = await recordThree();
    writeFileSync(path, readFileSync(path).subarray(0, length));
    await expect(market.read()).rejects.toMatchObject({ code: "no-recording" });
  });

  test("is passed over in the middle, and goes on behind it", async () => {
    const path = await recordThree();
    const bytes = readFileSync(path);
    const second = bytes.indexOf("TKWR", 4);
    const third = bytes.indexOf("TKWR", second + 4);
    bytes[second + 60] = (bytes[second + 60] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    rmSync(join(market.path, INDEX_NAME));
    const { entries, recording } = await market.read();
    expect(centsOf(entries)).toEqual([101, 103]);
    expect(recording.damage).toEqual({ tornBytes: 0, damagedBytes: third - second });
  });
});

describe("a recording", () => {
  test("is the same without its index", async () => {
    await recordThree(1);
    const indexed = await Recording.open(market.path);
    rmSync(join(market.path, INDEX_NAME));
    expect((await Recording.open(market.path)).files).toEqual(indexed.files);
  });

  test("is read from and to a time of the recorder", async () => {
    const startUs = market.clock.nowUs();
    await recordThree(1);
    const read = async (from: number, to: number): Promise<number[]> => {
      const range = { fromTimeUs: startUs + from * 1e6, toTimeUs: startUs + to * 1e6 };
      const { entries } = await market.read(range);
      return centsOf(entries.filter(({ timeUs }) => timeUs >= range.fromTimeUs));
    };
    expect(await read(0, 3)).toEqual([101, 102, 103]);
    expect(await read(1, 2)).toEqual([102]);
    expect(await read(1.000001, 2.000001)).toEqual([103]);
    expect(await read(3, 9)).toEqual([]);
  });

  test("begins in the file that has the state of the time", async () => {
    const startUs = market.clock.nowUs();
    const book = topicOf("book");
    const writer = await market.open({ fileBytesMax: 1 });
    writer.event(book, news(bookRow(true, [[99, 1]]), 1, { initial: true }));
    await writer.flush();
    for (const sequence of [2, 3, 4]) {
      market.clock.advance(1_000);
      writer.event(book, news(bookRow(false, [[99 - sequence, 1]]), sequence));
      await writer.flush();
    }
    await writer.close();
    const { entries } = await market.read({ fromTimeUs: startUs + 3_000_000 });
    const [first] = entries;
    expect(first).toMatchObject({ kind: "events", held: true });
  });

  test("is read from a time on although a file behind has nothing whole yet", async () => {
    const startUs = market.clock.nowUs();
    await recordThree();
    writeFileSync(join(market.path, "000002-20231114T221330Z.twr"), "TKWR");
    const fromTimeUs = startUs + 2_000_000;
    const { entries, recording } = await market.read({ fromTimeUs });
    expect(centsOf(entries.filter(({ timeUs }) => timeUs >= fromTimeUs))).toEqual([103]);
    expect(recording.damage).toEqual({ tornBytes: 4, damagedBytes: 0 });
  });

  test("names its topics", async () => {
    await recordThree();
    expect(await (await Recording.open(market.path)).topics()).toMatchObject([
      { venue: "simulated", symbol: "BTC-USD", channel: "trades" },
    ]);
  });

  test.each(["", "nothing-here"])("is refused where there is none: %s", async (name) => {
    await expect(Recording.open(join(market.path, name))).rejects.toMatchObject({
      code: "no-recording",
    });
  });
});
