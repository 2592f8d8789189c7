import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  bookRow,
  BTC,
  centsOf,
  news,
  quoteRow,
  RecordedMarket,
  told,
  topicOf,
  tradeRow,
} from "#test/support/recorded-market.ts";
import { INDEX_NAME } from "../format/recording-index.ts";
import type { RecordingFolder } from "./recording-folder.ts";

/** How long a folder that failed is left alone. */
const RETRY_MS = 2_000;

const TRADES = topicOf("trades");
const BOOK = topicOf("book");
const QUOTES = topicOf("quotes");

let market: RecordedMarket;
beforeEach(() => {
  market = new RecordedMarket();
});
afterEach(async () => {
  await market.remove();
});

describe("what is recorded", () => {
  test("is read back, event by event, with its positions", async () => {
    const writer = await market.open();
    writer.notice(TRADES, {
      kind: "continuity",
      continuity: "new",
      epoch: 5,
      sequence: 10,
      reason: "subscribed",
    });
    writer.event(TRADES, news(tradeRow(101), 11));
    writer.event(TRADES, news(tradeRow(102), 12));
    writer.event(QUOTES, news(quoteRow(100), 40, { initial: true }));
    market.endTurn();
    await writer.close();
    const { entries } = await market.read();
    expect(entries.map(told)).toEqual([
      { kind: "continuity", continuity: "new", epoch: 5, sequence: 10, reason: "subscribed" },
      { channel: "trades", held: false, epoch: 5, first: 11, rows: [tradeRow(101), tradeRow(102)] },
      { channel: "quotes", held: false, epoch: 5, first: 40, rows: [quoteRow(100)] },
    ]);
    expect(entries[0]?.topic.instrument).toEqual(BTC);
  });

  test("keeps gaps and new epochs where they were", async () => {
    const writer = await market.open();
    writer.event(TRADES, news(tradeRow(101), 1));
    const gap = {
      kind: "gap",
      epoch: 5,
      missingFirst: 2,
      missingLast: 3,
      reason: "server-dropped",
    };
    writer.notice(TRADES, gap as never);
    writer.event(TRADES, news(tradeRow(104), 4));
    writer.event(TRADES, news(tradeRow(105), 1, { epoch: 6 }));
    await writer.close();
    const { entries } = await market.read();
    expect(entries.map(told)).toMatchObject([
      { epoch: 5, first: 1 },
      gap,
      { epoch: 5, first: 4 },
      { epoch: 6, first: 1 },
    ]);
    expect(writer.progress).toMatchObject({ events: 3, storedEvents: 3, gaps: 1 });
  });

  test("is in the file after the flush interval", async () => {
    const writer = await market.open({ flushIntervalMs: 1_000 });
    writer.event(TRADES, news(tradeRow(101), 1));
    market.endTurn();
    market.clock.advance(999);
    expect(writer.progress.storedEvents).toBe(0);
    market.clock.advance(1);
    await writer.flush();
    expect(centsOf((await market.read()).entries)).toEqual([101]);
    await writer.close();
  });

  test("has times that never fall, however the clock is set", async () => {
    const writer = await market.open();
    writer.event(TRADES, news(tradeRow(101), 1));
    market.endTurn();
    market.clock.set(-60_000);
    writer.event(TRADES, news(tradeRow(102), 2));
    market.endTurn();
    await writer.close();
    const times = (await market.read()).entries.map(({ timeUs }) => timeUs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

describe("the next file", () => {
  test.each([
    [999, 1],
    [1_000, 2],
    [1_001, 2],
  ])("is begun at its time: after %i of 1000 ms there are %i files", async (ageMs, files) => {
    const writer = await market.open({ fileMsMax: 1_000 });
    writer.event(TRADES, news(tradeRow(101), 1));
    await writer.flush();
    market.clock.advance(ageMs);
    // What has begun to be put together goes into the file that it was begun for.
    writer.event(TRADES, news(tradeRow(102), 2));
    await writer.flush();
    writer.event(TRADES, news(tradeRow(103), 3));
    await writer.flush();
    await writer.close();
    expect((await market.read()).recording.files).toHaveLength(files);
    expect(centsOf((await market.read()).entries)).toEqual([101, 102, 103]);
  });

  test("begins with the state of every topic", async () => {
    const writer = await market.open({ fileBytesMax: 1 });
    writer.event(
      BOOK,
      news(
        bookRow(true, [
          [99, 1],
          [98, 2],
        ]),
        7,
        { initial: true },
      ),
    );
    writer.event(QUOTES, news(quoteRow(99), 3, { initial: true }));
    await writer.flush();
    writer.event(
      BOOK,
      news(
        bookRow(false, [
          [98, 0],
          [97, 5],
        ]),
        8,
      ),
    );
    await writer.flush();
    writer.event(BOOK, news(bookRow(false, [[96, 9]]), 9));
    market.endTurn();
    await writer.close();
    const { entries, recording } = await market.read();
    const last = entries.filter(
      ({ timeUs }) => timeUs >= (recording.files.at(-1)?.firstTimeUs ?? 0),
    );
    expect(recording.files.length).toBeGreaterThan(1);
    expect(last.map(told)).toContainEqual({
      channel: "book",
      held: true,
      epoch: 5,
      first: 8,
      rows: [
        bookRow(true, [
          [99, 1],
          [97, 5],
        ]),
      ],
    });
    expect(last.map(told)).toContainEqual(
      expect.objectContaining({ channel: "quotes", held: true, first: 3, rows: [quoteRow(99)] }),
    );
  });

  test("has an index, which another run goes on from", async () => {
    const first = await market.open();
    first.event(TRADES, news(tradeRow(101), 1));
    await first.close();
    const second = await market.open();
    second.event(TRADES, news(tradeRow(102), 1, { epoch: 6 }));
    await second.close();
    const names = readdirSync(market.path);
    expect(names.filter((name) => name !== INDEX_NAME).map((name) => name.slice(0, 6))).toEqual([
      "000001",
      "000002",
    ]);
    expect(centsOf((await market.read()).entries)).toEqual([101, 102]);
  });
});

describe("old files", () => {
  async function recordFiles(count: number, limits: object): Promise<string[]> {
    const writer = await market.open({ fileBytesMax: 1, ...limits });
    for (let index = 1; index <= count; index += 1) {
      writer.event(TRADES, news(tradeRow(100 + index), index));
      await writer.flush();
      market.clock.advance(1_000);
    }
    await writer.close();
    return readdirSync(market.path).filter((name) => name !== INDEX_NAME);
  }

  test("are removed beyond the size that is kept", async () => {
    const all = await recordFiles(6, {});
    await market.remove();
    market = new RecordedMarket();
    const kept = await recordFiles(6, { keptBytesMax: 700 });
    expect(kept.length).toBeLessThan(all.length);
    expect(kept.at(-1)?.slice(0, 6)).toBe(all.at(-1)?.slice(0, 6));
  });

  test("are removed at their age", async () => {
    const kept = await recordFiles(6, { keptMsMax: 2_500 });
    expect(kept.length).toBeLessThan(6);
    expect(centsOf((await market.read()).entries).at(-1)).toBe(106);
  });
});

test("what a run left that was killed goes at its age too", async () => {
  const killed = await market.open();
  killed.event(TRADES, news(tradeRow(101), 1));
  await killed.flush();
  // Nobody has written down how the file ended.
  market.clock.advance(5_000);
  const next = await market.open({ keptMsMax: 1_000 });
  next.event(TRADES, news(tradeRow(102), 2));
  await next.close();
  expect(centsOf((await market.read()).entries)).toEqual([102]);
  await killed.close();
});

describe("a disk that is full", () => {
  /** Takes so many appends, and then none until it is told to. */
  class Disk {
    room: number;
    constructor(room: number) {
      this.room = room;
    }

    wrap = (folder: RecordingFolder): RecordingFolder => ({
      ...folder,
      create: async (name) => {
        const file = await folder.create(name);
        return {
          ...file,
          append: async (bytes) => {
            if (this.room <= 0) {
              // A part of it is written, as it is on a real one.
              await file.append(bytes.subarray(0, 10));
              throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
            }
            this.room -= 1;
            await file.append(bytes);
          },
        };
      },
    });
  }

  test("is said, and nothing is lost when it has room again", async () => {
    const disk = new Disk(1);
    const writer = await market.open({}, disk.wrap);
    writer.event(TRADES, news(tradeRow(101), 1));
    await writer.flush();
    writer.event(TRADES, news(tradeRow(102), 2));
    const flushed = writer.flush();
    await expect.poll(() => market.failures).toEqual(["disk-full"]);
    writer.event(TRADES, news(tradeRow(103), 3));
    disk.room = 100;
    market.clock.advance(RETRY_MS);
    await flushed;
    await writer.close();
    expect(market.failures).toEqual(["disk-full", undefined]);
    expect(centsOf((await market.read()).entries)).toEqual([101, 102, 103]);
    expect((await market.read()).recording.damage).toEqual({ tornBytes: 0, damagedBytes: 0 });
  });

  test("leaves no file without content, however often it was tried", async () => {
    const disk = new Disk(1);
    const writer = await market.open({}, disk.wrap);
    writer.event(TRADES, news(tradeRow(101), 1));
    await writer.flush();
    writer.event(TRADES, news(tradeRow(102), 2));
    const flushed = writer.flush();
    await expect.poll(() => market.failures).toHaveLength(1);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await expect.poll(() => market.clock.pending).toBeGreaterThan(1);
      market.clock.advance(RETRY_MS);
    }
    await expect.poll(() => market.clock.pending).toBeGreaterThan(1);
    expect(readdirSync(market.path).filter((name) => name !== INDEX_NAME)).toHaveLength(1);
    disk.room = 100;
    market.clock.advance(RETRY_MS);
    await flushed;
    await writer.close();
    expect(readdirSync(market.path).map((name) => name.slice(0, 6))).toEqual([
      "000001",
      "000002",
      "index.",
    ]);
  });

  test("does not keep a recording from ending", async () => {
    const disk = new Disk(1);
    const writer = await market.open({}, disk.wrap);
    writer.event(TRADES, news(tradeRow(101), 1));
    await writer.flush();
    disk.room = 0;
    writer.event(TRADES, news(tradeRow(102), 2));
    await writer.close();
    expect(writer.progress).toMatchObject({ events: 2, storedEvents: 1 });
    expect(centsOf((await market.read()).entries)).toEqual([101]);
  });
});

describe("a disk that is too slow", () => {
  /** Appends wait until the test lets them go on. */
  function slowDisk() {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const wrap = (folder: RecordingFolder): RecordingFolder => ({
      ...folder,
      create: async (name) => {
        const file = await folder.create(name);
        return {
          ...file,
          append: async (bytes) => {
            await gate;
            await file.append(bytes);
          },
        };
      },
    });
    return { wrap, release: () => release() };
  }

  test("costs events, which the recording names as missing", async () => {
    const disk = slowDisk();
    const writer = await market.open({ waitingBytesMax: 2_000 }, disk.wrap);
    const count = 200;
    for (let sequence = 1; sequence <= count; sequence += 1) {
      writer.event(TRADES, news(tradeRow(1_000 + sequence), sequence));
      market.endTurn();
    }
    const { lostEvents } = writer.progress;
    expect(lostEvents).toBeGreaterThan(0);
    disk.release();
    await writer.flush();
    writer.event(TRADES, news(tradeRow(5_000), count + 1));
    await writer.close();
    const { entries } = await market.read();
    const gaps = entries.flatMap((entry) => (entry.kind === "notice" ? [entry.notice] : []));
    expect(gaps).toEqual([
      {
        kind: "gap",
        epoch: 5,
        missingFirst: count - lostEvents + 1,
        missingLast: count,
        reason: "recorder-overrun",
      },
    ]);
    expect(centsOf(entries)).toHaveLength(count - lostEvents + 1);
    expect(writer.progress).toMatchObject({
      events: count + 1,
      storedEvents: count - lostEvents + 1,
    });
  });

  test("leaves a book whole: its state is behind what is missing", async () => {
    const disk = slowDisk();
    const writer = await market.open({ waitingBytesMax: 1_500 }, disk.wrap);
    writer.event(BOOK, news(bookRow(true, [[99, 1]]), 1, { initial: true }));
    market.endTurn();
    for (let sequence = 2; sequence <= 60; sequence += 1) {
      writer.event(BOOK, news(bookRow(false, [[sequence, sequence]]), sequence));
      market.endTurn();
    }
    expect(writer.progress.lostEvents).toBeGreaterThan(0);
    disk.release();
    await writer.flush();
    writer.event(BOOK, news(bookRow(false, [[99, 0]]), 61));
    await writer.close();
    const [state, change] = (await market.read()).entries.slice(-2).map(told) as {
      rows: { bids: { prices: number[] } }[];
    }[];
    expect(state).toMatchObject({ held: true, first: 60 });
    expect(state?.rows[0]?.bids.prices).toHaveLength(60);
    expect(change).toMatchObject({ held: false, first: 61 });
  });
});
