import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow, StatusRow } from "@tickwire/proto/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { EVENT_PATTERN } from "#bus/subject.ts";
import {
  bookRow,
  news,
  quoteRow,
  RecordedMarket,
  topicOf,
  tradeRow,
} from "#test/support/recorded-market.ts";
import { Recording } from "../reading/recording.ts";
import { RecordingReplay } from "./recording-replay.ts";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const BOOK = topicOf("book");
const TRADES = topicOf("trades");

let market: RecordedMarket;
beforeEach(() => {
  market = new RecordedMarket();
});
afterEach(async () => {
  await market.remove();
});

type Heard = { readonly subject: string; readonly sequence: number; readonly rows: unknown[] };

/** Plays the recording on a bus, and hears what is published there. */
async function replayed(options: { readonly startTimeUs?: number } = {}) {
  const bus = new MemoryBus({ clock: market.clock });
  const heard: Heard[] = [];
  bus.subscribe(EVENT_PATTERN, ({ subject, payload }) => {
    const batch = readBusEvents(readBusBatch(payload.slice()));
    heard.push({ subject, sequence: batch.firstSequence, rows: [...rowsOf(batch).rows] });
  });
  const recording = await Recording.open(market.path);
  const replay = await RecordingReplay.open({
    recording,
    bus,
    clock: market.clock,
    logger: SILENT,
    schedule: (flush) => setImmediate(flush),
    createIdentity: () => ({ publisherId: "replay-1", epoch: 77 }),
    nameOf: (venue) => `replay-${venue}`,
    fromTimeUs: recording.firstTimeUs,
    toTimeUs: recording.lastTimeUs + 1,
    speed: "max",
    loop: false,
    paused: false,
    ...options,
  });
  const play = async (stay = false): Promise<void> => {
    await replay.run({ stay });
    await bus.flush();
  };
  /** The rows of one channel. */
  const rows = (channel: string): unknown[] =>
    heard.filter(({ subject }) => subject.includes(`.${channel}.`)).flatMap((each) => each.rows);
  return { replay, heard, play, rows };
}

describe("a recording that is replayed", () => {
  test("is published as it was, under a name and sequences of its own", async () => {
    const writer = await market.open();
    for (const index of [0, 1, 2]) {
      writer.event(TRADES, news(tradeRow(100 + index), 900 + index));
      market.endTurn();
      market.clock.advance(10);
    }
    await writer.close();
    const { play, heard, rows, replay } = await replayed();
    await play();
    replay.close();
    expect(rows("trades")).toEqual([tradeRow(100), tradeRow(101), tradeRow(102)]);
    const trades = heard.filter(({ subject }) => subject.includes(".trades."));
    expect(trades[0]).toMatchObject({
      subject: expect.stringContaining("md.v2.replay-simulated.trades.") as string,
      sequence: 1,
    });
  });

  test("shows a gap of the recording on the channel status, until events come again", async () => {
    const writer = await market.open();
    writer.event(TRADES, news(tradeRow(100), 1));
    const gap = { kind: "gap", epoch: 5, missingFirst: 2, missingLast: 3, reason: "x" } as const;
    writer.notice(TRADES, gap);
    writer.event(TRADES, news(tradeRow(104), 4));
    await writer.close();
    const { play, rows, replay } = await replayed();
    await play();
    replay.close();
    const states = (rows("status") as StatusRow[]).map(({ channel, state, reason }) => {
      return `${channel} ${state} ${reason}`;
    });
    expect(states).toEqual(["trades gap recording-gap", "trades live recording"]);
  });

  test("begins in the middle with the book that was there", async () => {
    const startUs = market.clock.nowUs();
    const writer = await market.open();
    writer.event(BOOK, news(bookRow(true, [[99, 1]]), 1, { initial: true }));
    market.endTurn();
    for (const sequence of [2, 3]) {
      market.clock.advance(1_000);
      writer.event(BOOK, news(bookRow(false, [[99 - sequence, sequence]]), sequence));
      market.endTurn();
    }
    await writer.close();
    const { play, rows, replay } = await replayed({ startTimeUs: startUs + 1_500_000 });
    await play();
    replay.close();
    const [state, change, ...rest] = rows("book") as BookRow[];
    expect(state).toMatchObject({ snapshot: true, bids: { prices: [99, 97], sizes: [1, 2] } });
    expect(change).toEqual(bookRow(false, [[96, 3]]));
    expect(rest).toEqual([]);
  });

  test("repeats the states of a later file to nobody", async () => {
    const writer = await market.open({ fileBytesMax: 1 });
    writer.event(BOOK, news(bookRow(true, [[99, 1]]), 1, { initial: true }));
    for (const sequence of [2, 3, 4]) {
      await writer.flush();
      market.clock.advance(10);
      writer.event(BOOK, news(bookRow(false, [[90 + sequence, 1]]), sequence));
    }
    await writer.close();
    const { play, rows, replay } = await replayed();
    await play();
    replay.close();
    expect((rows("book") as BookRow[]).map(({ snapshot }) => snapshot)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("empties a book that is not there yet when it goes back before it", async () => {
    const startUs = market.clock.nowUs();
    const writer = await market.open();
    writer.event(topicOf("quotes"), news(quoteRow(50), 1));
    market.endTurn();
    market.clock.advance(5_000);
    writer.event(BOOK, news(bookRow(true, [[99, 1]]), 1, { initial: true }));
    market.endTurn();
    await writer.close();
    const { play, rows, replay } = await replayed();
    const playing = play(true);
    await expect.poll(() => replay.player.status.state).toBe("ended");
    replay.player.seek(startUs + 1_000_000);
    replay.player.pause();
    await expect.poll(() => rows("book").length).toBe(2);
    expect(rows("book")[1]).toMatchObject({ snapshot: true, bids: { prices: [] } });
    expect(replay.player.status.state).toBe("paused");
    replay.close();
    await playing;
  });
});
