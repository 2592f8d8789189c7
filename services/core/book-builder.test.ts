import { formatDecimal, OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { BookBuilder } from "./book-builder.ts";
import { DUPLICATES_IN_ROW_MAX, SNAPSHOTS_BEHIND_MAX } from "./book-limits.ts";
import type { BookOutput } from "./book-output.ts";
import type { BookSequencing, BookSync, RawBook } from "./book-sync.ts";
import type { Instrument } from "./instrument.ts";
import type { LevelColumns } from "./market-event.ts";

const INSTRUMENT: Instrument = {
  venue: "venue",
  symbol: "A-B",
  venueSymbol: "AB",
  kind: "spot",
  base: "A",
  quote: "B",
  settle: "B",
  inverse: false,
};

/** Numbered like Binance spot: each delta covers first...last, without holes. */
const NUMBERED: BookSequencing = {
  isCovered: (delta, snapshotId) => delta.lastUpdateId! <= snapshotId,
  bridges: (delta, id) => delta.firstUpdateId! <= id + 1 && id + 1 <= delta.lastUpdateId!,
  follows: (delta, lastId) => delta.firstUpdateId === lastId + 1,
};
const REST: BookSync = { snapshot: "rest", sequencing: NUMBERED };
const IN_BAND: BookSync = { snapshot: "in-band" };
/** Stands in for a venue's checksum: total of the best two bid prices. */
const CHECKED: BookSync = {
  snapshot: "in-band",
  checksum: (book) => book.bids(2).prices.reduce<number>((sum, price) => sum + Number(price), 0),
};

type Levels = readonly (readonly [number, number])[];

function columns(levels: Levels): LevelColumns {
  return { prices: levels.map(([price]) => price), sizes: levels.map(([, size]) => size) };
}

function raw(fields: Partial<RawBook> & { levels?: Levels } = {}): RawBook {
  const { levels = [], ...rest } = fields;
  return {
    kind: "raw-book",
    instrument: INSTRUMENT,
    venueTimeUs: undefined,
    receivedTimeUs: 0,
    snapshot: false,
    source: "in-band",
    firstUpdateId: undefined,
    lastUpdateId: undefined,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: columns(levels),
    asks: columns([]),
    ...rest,
  };
}

function delta(id: number, levels: Levels = [[id, 1]]): RawBook {
  return raw({ firstUpdateId: id, lastUpdateId: id, levels });
}

function restSnapshot(id: number, levels: Levels = [[1_000, 1]]): RawBook {
  return raw({ snapshot: true, source: "rest", lastUpdateId: id, levels });
}

function streamSnapshot(levels: Levels = [[1_000, 1]], checksum?: number): RawBook {
  return raw({ snapshot: true, levels, checksum });
}

/** A builder with a consumer beside it, and a log of what it says in few words. */
function run(
  sync: BookSync,
  options: { bufferedDeltasMax?: number; depth?: number; instrument?: Instrument } = {},
) {
  const builder = new BookBuilder({
    sync,
    instrument: options.instrument ?? INSTRUMENT,
    bufferedDeltasMax: options.bufferedDeltasMax ?? 100,
    depth: options.depth,
  });
  const consumer = new OrderBook();
  const log: string[] = [];
  const outputs: BookOutput[] = [];
  const emit = (output: BookOutput): void => {
    outputs.push(output);
    log.push(describeOutput(output));
    if (output.kind !== "event") return;
    if (output.event.snapshot) consumer.applySnapshot(output.event);
    else consumer.applyDelta(output.event);
  };
  return {
    builder,
    outputs,
    emit,
    take: () => log.splice(0),
    feed: (...books: RawBook[]) => {
      for (const book of books) builder.handle(book, emit);
      return log.splice(0);
    },
    bids: () => levelsOf(builder.book),
    consumerBids: () => levelsOf(consumer),
  };
}

function describeOutput(output: BookOutput): string {
  switch (output.kind) {
    case "event":
      return output.event.snapshot ? "snapshot" : "delta";
    case "delta":
      return "delta";
    case "need-snapshot":
      return `need ${output.reason}`;
    case "doubt":
      return `doubt ${output.reason}`;
    case "state":
      return `${output.state} ${output.reason}`;
    case "checksum":
      return output.ok ? "checksum ok" : "checksum wrong";
    case "gap":
      return `gap ${output.reason}`;
  }
}

function levelsOf(book: OrderBook): string[] {
  const { prices, sizes } = book.bids();
  return prices.map((price, index) => {
    const size = formatDecimal(sizes[index]!, book.sizeScale);
    return `${formatDecimal(price, book.priceScale)}x${size}`;
  });
}

describe("a book with REST snapshots", () => {
  test("buffers from the first delta, asks once, and starts with the snapshot, then what follows it", () => {
    const book = run(REST);
    expect(book.feed(delta(11), delta(12), delta(13))).toEqual(["syncing start", "need start"]);
    expect(book.builder.bufferedCount).toBe(3);
    expect(book.feed(restSnapshot(11))).toEqual([
      "snapshot",
      "live synchronized",
      "delta",
      "delta",
    ]);
    expect(book.bids()).toEqual(["1000x1", "13x1", "12x1"]);
    expect(book.feed(delta(14))).toEqual(["delta"]);
    expect(book.consumerBids()).toEqual(book.bids());
    expect(book.builder.counts.duplicates).toBe(1);
  });

  test("that is begun asks for a snapshot before the first delta, once, and is live with it", () => {
    const book = run(REST);
    for (let times = 0; times < 2; times += 1) book.builder.begin(book.emit);
    expect(book.take()).toEqual(["syncing start", "need start"]);
    expect(book.feed(restSnapshot(11))).toEqual(["snapshot", "live synchronized"]);
    book.builder.begin(book.emit);
    expect(book.take()).toEqual([]);
    expect(book.feed(delta(11), delta(12))).toEqual(["delta"]);
    expect(book.feed(delta(14))).toContain("need sequence-gap");
  });

  test("that is begun takes the snapshot that waits for the first delta", () => {
    const book = run(REST);
    expect(book.feed(restSnapshot(11))).toEqual([]);
    expect(book.builder.hasEarlySnapshot).toBe(true);
    book.builder.begin(book.emit);
    expect(book.take()).toEqual(["syncing start", "snapshot", "live synchronized"]);
    expect(book.builder.hasEarlySnapshot).toBe(false);
  });

  test("that is begun after its connection was lost asks anew", () => {
    const book = run(REST);
    book.feed(delta(11), restSnapshot(11));
    book.builder.reset("disconnected", book.emit);
    book.take();
    book.builder.begin(book.emit);
    expect(book.take()).toEqual(["resyncing disconnected", "need disconnected"]);
  });

  test("takes a delta that the snapshot covers in part", () => {
    const book = run(REST);
    book.feed(raw({ firstUpdateId: 5, lastUpdateId: 9, levels: [[7, 2]] }));
    expect(book.feed(restSnapshot(7))).toEqual(["snapshot", "live synchronized", "delta"]);
    expect(book.feed(delta(10))).toEqual(["delta"]);
  });

  test("asks again for a snapshot older than the first buffered delta, keeping the buffer", () => {
    const book = run(REST);
    book.feed(delta(11), delta(12));
    expect(book.feed(restSnapshot(9))).toEqual(["need snapshot-too-old"]);
    expect(book.feed(restSnapshot(10))).toEqual([
      "snapshot",
      "live synchronized",
      "delta",
      "delta",
    ]);
    expect(book.bids()).toEqual(["1000x1", "12x1", "11x1"]);
    expect(book.builder.counts.staleSnapshots).toBe(1);
  });

  test("a snapshot newer than everything buffered waits for the delta that bridges", () => {
    const book = run(REST);
    book.feed(delta(11), delta(12));
    expect(book.feed(restSnapshot(15))).toEqual(["snapshot", "live synchronized"]);
    expect(book.feed(delta(13), delta(14), delta(15))).toEqual([]);
    expect(book.feed(delta(16))).toEqual(["delta"]);
    expect(book.builder.counts.duplicates).toBe(5);
  });

  test("a lost delta leads to one gap, one request and one resync", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2));
    expect(book.feed(delta(4))).toEqual([
      "gap sequence-gap",
      "gap sequence-gap",
      "resyncing sequence-gap",
      "need sequence-gap",
    ]);
    expect(book.builder.isLive).toBe(false);
    expect(book.feed(delta(5), delta(6))).toEqual([]);
    expect(book.feed(restSnapshot(4))).toEqual(["snapshot", "live synchronized", "delta", "delta"]);
    expect(book.consumerBids()).toEqual(["1000x1", "6x1", "5x1"]);
  });

  test("a number that comes twice is one gap, one request and one resync", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2), delta(3));
    expect(book.feed(delta(3))).toEqual([
      "gap sequence-repeated",
      "gap sequence-repeated",
      "resyncing sequence-repeated",
      "need sequence-repeated",
    ]);
    expect(book.feed(delta(4), delta(4))).toEqual([]);
    expect(book.feed(restSnapshot(3))).toEqual(["snapshot", "live synchronized", "delta"]);
    expect(book.consumerBids()).toEqual(["1000x1", "4x1"]);
  });

  test("after a repeated number a snapshot does not take the book back, unless it is the venue that went back", () => {
    const book = run(REST);
    book.feed(delta(5), restSnapshot(5), delta(6), delta(7));
    book.feed(delta(5));
    for (let behind = 1; behind <= SNAPSHOTS_BEHIND_MAX; behind++) {
      expect(book.feed(restSnapshot(5))).toEqual(["need snapshot-too-old"]);
    }
    expect(book.feed(restSnapshot(5))).toEqual(["snapshot", "live synchronized"]);
  });

  test("two deltas that changed places are one gap, and the late one does no harm", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1));
    expect(book.feed(delta(3), delta(2), delta(4))).toHaveLength(4);
    expect(book.feed(restSnapshot(2))).toEqual(["snapshot", "live synchronized", "delta", "delta"]);
    expect(book.consumerBids()).toEqual(["1000x1", "4x1", "3x1"]);
  });

  test("a hole in the buffer is found when the snapshot comes, and reported once", () => {
    const book = run(REST);
    book.feed(delta(11), delta(13), delta(14), delta(16));
    expect(book.feed(restSnapshot(11))).toEqual(["need snapshot-too-old"]);
    expect(book.builder.bufferedCount).toBe(3);
    expect(book.feed(restSnapshot(13))).toEqual(["gap buffer-gap", "need buffer-gap"]);
    expect(book.builder.bufferedCount).toBe(1);
    expect(book.feed(restSnapshot(15))).toEqual(["snapshot", "live synchronized", "delta"]);
    expect(book.bids()).toEqual(["1000x1", "16x1"]);
  });

  test("snapshots that nobody asked for are ignored while live and kept before the first delta", () => {
    const book = run(REST);
    expect(book.feed(restSnapshot(5))).toEqual([]);
    expect(book.feed(delta(6))).toEqual([
      "syncing start",
      "snapshot",
      "live synchronized",
      "delta",
    ]);
    expect(book.feed(restSnapshot(6, []))).toEqual([]);
    expect(book.bids()).toEqual(["1000x1", "6x1"]);
    expect(book.builder.counts.ignoredSnapshots).toBe(1);
  });

  test("an early snapshot that is too old only leads to a request", () => {
    const book = run(REST);
    book.feed(restSnapshot(5));
    expect(book.feed(delta(7))).toEqual(["syncing start", "need snapshot-too-old"]);
  });

  test.each([
    [2, 0],
    [3, 0],
    [4, 1],
    [6, 3],
  ])(
    "of %i deltas a buffer for 3 loses the oldest %i and wants a newer snapshot",
    (count, lost) => {
      const book = run(REST, { bufferedDeltasMax: 3 });
      for (let id = 1; id <= count; id++) book.feed(delta(id));
      expect(book.builder.counts.overflowed).toBe(lost);
      const tooOld = book.feed(restSnapshot(lost === 0 ? 0 : lost - 1));
      expect(tooOld.at(-1)).toBe(lost === 0 ? "delta" : "need snapshot-too-old");
      const fits = lost === 0 ? [] : book.feed(restSnapshot(lost));
      const started = ["snapshot", "live synchronized", "delta", "delta", "delta"];
      expect(fits).toEqual(lost === 0 ? [] : started);
      expect(book.builder.isLive).toBe(true);
    },
  );

  test("numbers that start anew do not freeze the book", () => {
    const book = run(REST);
    book.feed(delta(1_000_000), restSnapshot(1_000_000));
    for (let id = 2; id < DUPLICATES_IN_ROW_MAX; id++) book.feed(delta(id));
    expect(book.builder.isLive).toBe(true);
    book.feed(delta(DUPLICATES_IN_ROW_MAX));
    expect(book.feed(delta(1))).toEqual([
      "gap sequence-reset",
      "gap sequence-reset",
      "resyncing sequence-reset",
      "need sequence-reset",
    ]);
    expect(book.feed(restSnapshot(0))).toEqual(["snapshot", "live synchronized", "delta"]);
  });

  test("a refresh replaces the book without a break", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2));
    expect(book.builder.beginRefresh()).toBe(true);
    expect(book.feed(delta(3), delta(4))).toEqual(["delta", "delta"]);
    expect(book.feed(restSnapshot(3, [[2_000, 2]]))).toEqual(["snapshot"]);
    expect(book.bids()).toEqual(["2000x2", "4x1"]);
    expect(book.feed(delta(5))).toEqual(["delta"]);
    expect(book.consumerBids()).toEqual(["2000x2", "5x1", "4x1"]);
  });

  test("a refresh never steps back behind the live book", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2), delta(3));
    book.builder.beginRefresh();
    expect(book.feed(restSnapshot(2))).toEqual([]);
    expect(book.feed(delta(4), restSnapshot(2))).toEqual(["delta"]);
    expect(book.builder.counts.staleSnapshots).toBe(2);
    expect(book.builder.isRefreshing).toBe(true);
    expect(book.feed(restSnapshot(4))).toEqual(["snapshot"]);
    expect(book.builder.isRefreshing).toBe(false);
    expect(book.builder.isLive).toBe(true);
  });

  test("a refresh that ends without a snapshot leaves the live book, and keeps no more deltas", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2));
    book.builder.beginRefresh();
    book.feed(delta(3));
    expect(book.builder.bufferedCount).toBe(1);
    book.builder.endRefresh();
    expect(book.feed(delta(4), restSnapshot(4))).toEqual(["delta"]);
    expect(book.builder.bufferedCount).toBe(0);
    expect(book.builder.counts.ignoredSnapshots).toBe(1);
  });

  test("a loss ends a refresh: the resync's snapshot serves both", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1), delta(2));
    book.builder.beginRefresh();
    book.feed(delta(3), delta(5));
    expect(book.builder.isRefreshing).toBe(false);
    expect(book.builder.beginRefresh()).toBe(false);
    expect(book.feed(restSnapshot(5))).toEqual(["snapshot", "live synchronized"]);
    book.builder.beginRefresh();
    book.builder.reset("disconnected", book.emit);
    expect(book.builder.isRefreshing).toBe(false);
  });

  test("a refresh in which more deltas came than may be kept takes a snapshot from behind them", () => {
    const book = run(REST, { bufferedDeltasMax: 2 });
    book.feed(delta(1), restSnapshot(1), delta(2));
    book.builder.beginRefresh();
    book.feed(delta(3), delta(4), delta(5));
    expect(book.feed(restSnapshot(2))).toEqual([]);
    expect(book.feed(restSnapshot(3))).toEqual(["snapshot"]);
    expect(book.bids()).toEqual(["1000x1", "5x1", "4x1"]);
  });

  test("a policy that could not line anything up is refused", () => {
    expect(() => run({ snapshot: "rest" })).toThrow(TypeError);
  });
});

describe("a book with snapshots in the stream", () => {
  test("drops and counts deltas before the snapshot", () => {
    const book = run(IN_BAND);
    expect(book.feed(raw(), raw())).toEqual(["syncing start"]);
    expect(book.builder.counts.beforeSnapshot).toBe(2);
    expect(book.feed(streamSnapshot())).toEqual(["snapshot", "live synchronized"]);
    expect(book.feed(raw({ levels: [[5, 5]] }))).toEqual(["delta"]);
    expect(book.consumerBids()).toEqual(["1000x1", "5x5"]);
  });

  test("any snapshot replaces the book, and REST snapshots are not for it", () => {
    const book = run(IN_BAND);
    book.feed(streamSnapshot(), raw({ levels: [[5, 5]] }));
    expect(book.feed(streamSnapshot([[7, 7]]))).toEqual(["snapshot"]);
    expect(book.consumerBids()).toEqual(["7x7"]);
    expect(book.feed(restSnapshot(1))).toEqual([]);
    expect(book.builder.counts.ignoredSnapshots).toBe(1);
  });

  test("a wrong checksum ends in one resync; the wrong delta is not passed on", () => {
    const book = run(CHECKED);
    expect(book.feed(streamSnapshot([[10, 1]], 10))).toEqual([
      "syncing start",
      "checksum ok",
      "snapshot",
      "live synchronized",
    ]);
    expect(book.feed(raw({ levels: [[11, 1]], checksum: 21 }))).toEqual(["checksum ok", "delta"]);
    expect(book.feed(raw({ levels: [[12, 1]], checksum: 99 }))).toEqual([
      "checksum wrong",
      "gap checksum-mismatch",
      "gap checksum-mismatch",
      "resyncing checksum-mismatch",
      "need checksum-mismatch",
    ]);
    expect(book.consumerBids()).toEqual(["11x1", "10x1"]);
    expect(book.feed(raw({ levels: [[13, 1]], checksum: 98 }))).toEqual([]);
    expect(book.feed(streamSnapshot([[20, 1]], 20))).toEqual([
      "checksum ok",
      "snapshot",
      "live synchronized",
    ]);
  });

  test("a snapshot with a wrong checksum does not go live", () => {
    const book = run(CHECKED);
    const outputs = book.feed(streamSnapshot([[10, 1]], 11));
    expect(outputs).not.toContain("snapshot");
    expect(outputs.at(-1)).toBe("need checksum-mismatch");
    expect(book.feed(streamSnapshot([[10, 1]], 11)).at(-1)).toBe("need checksum-mismatch");
    expect(book.feed(streamSnapshot([[10, 1]], 10)).at(-1)).toBe("live synchronized");
  });

  test("where nothing proves a book, one that crosses is started anew", () => {
    const book = run(IN_BAND);
    book.feed(raw({ snapshot: true, levels: [[10, 1]], asks: columns([[12, 1]]) }));
    expect(book.feed(raw({ levels: [[11, 1]] }))).toEqual(["delta"]);
    expect(book.feed(raw({ levels: [[12, 1]] }))).toEqual([
      "gap crossed-book",
      "gap crossed-book",
      "resyncing crossed-book",
      "need crossed-book",
    ]);
    expect(book.feed(streamSnapshot()).at(-1)).toBe("live synchronized");
  });

  test("a book that numbers prove may cross", () => {
    const book = run({ snapshot: "in-band", sequencing: NUMBERED });
    book.feed(raw({ snapshot: true, lastUpdateId: 5, asks: columns([[12, 1]]) }));
    expect(book.feed(delta(6, [[13, 1]]))).toEqual(["delta"]);
  });

  test("numbers that only rise prove no book that crosses", () => {
    const book = run({ snapshot: "in-band", sequencing: { ...NUMBERED, showsGaps: false } });
    book.feed(raw({ snapshot: true, lastUpdateId: 5, asks: columns([[12, 1]]) }));
    expect(book.feed(delta(6, [[13, 1]])).at(-1)).toBe("need crossed-book");
  });

  test("numbered deltas are held against each other", () => {
    const book = run({ snapshot: "in-band", sequencing: NUMBERED });
    book.feed(raw({ snapshot: true, lastUpdateId: 5 }), delta(6));
    expect(book.feed(delta(8)).at(-1)).toBe("need sequence-gap");
    expect(book.builder.bufferedCount).toBe(0);
    expect(book.feed(raw({ snapshot: true, lastUpdateId: 8 }), delta(9))).toEqual([
      "snapshot",
      "live synchronized",
      "delta",
    ]);
  });
});

describe("a numbered book with snapshots in the stream, and a REST snapshot that nobody asked for", () => {
  const NUMBERED_IN_BAND: BookSync = { snapshot: "in-band", sequencing: NUMBERED };

  test("starts with it while the stream's own has not come, and asks for nothing", () => {
    const book = run(NUMBERED_IN_BAND);
    expect(book.feed(delta(11), delta(12), delta(13))).toEqual(["syncing start"]);
    expect(book.feed(restSnapshot(11))).toEqual([
      "snapshot",
      "live synchronized",
      "delta",
      "delta",
    ]);
    expect(book.consumerBids()).toEqual(["1000x1", "13x1", "12x1"]);
    expect(book.builder.counts.beforeSnapshot).toBe(0);
  });

  test("keeps one that comes before the first delta until that shows where it stands", () => {
    const book = run(NUMBERED_IN_BAND);
    expect(book.feed(restSnapshot(5))).toEqual([]);
    expect(book.builder.isLive).toBe(false);
    expect(book.feed(delta(6)).slice(-2)).toEqual(["live synchronized", "delta"]);
    const tooOld = run(NUMBERED_IN_BAND);
    tooOld.feed(restSnapshot(5));
    expect(tooOld.feed(delta(7)).at(-1)).toBe("need snapshot-too-old");
  });

  test("is never live without any snapshot", () => {
    const book = run(NUMBERED_IN_BAND);
    for (let id = 1; id <= 500; id++) book.feed(delta(id));
    expect(book.builder.isLive).toBe(false);
    expect(book.builder.bufferedCount).toBe(100);
    expect(book.outputs.map(describeOutput)).toEqual(["syncing start"]);
  });

  test("prefers the stream's own, which clears what was kept", () => {
    const book = run(NUMBERED_IN_BAND);
    book.feed(delta(11), delta(12));
    expect(book.feed(raw({ snapshot: true, lastUpdateId: 20, levels: [[1, 1]] }))).toEqual([
      "snapshot",
      "live synchronized",
    ]);
    expect(book.builder.bufferedCount).toBe(0);
    expect(book.builder.counts.beforeSnapshot).toBe(2);
    expect(book.feed(restSnapshot(12), delta(21))).toEqual(["delta"]);
    expect(book.builder.counts.ignoredSnapshots).toBe(1);
  });

  test("comes back with it after a gap", () => {
    const book = run(NUMBERED_IN_BAND);
    book.feed(delta(1), restSnapshot(1), delta(3));
    expect(book.builder.isLive).toBe(false);
    book.feed(delta(4));
    expect(book.feed(restSnapshot(3))).toEqual(["snapshot", "live synchronized", "delta"]);
  });
});

describe("a book that crosses while its instrument", () => {
  const inState = (state: NonNullable<Instrument["state"]>): Instrument => ({
    ...INSTRUMENT,
    state,
  });
  const of = (instrument: Instrument, book: RawBook): RawBook => ({ ...book, instrument });
  const start = raw({ snapshot: true, levels: [[10, 1]], asks: columns([[12, 1]]) });
  const crossing = raw({ levels: [[13, 1]] });

  test.each(["auction", "pre-open", "halted", "cancel-only"] as const)("is %s goes on", (state) => {
    const instrument = inState(state);
    const book = run(IN_BAND, { instrument });
    book.feed(of(instrument, start));
    expect(book.feed(of(instrument, crossing))).toEqual(["delta"]);
    const whole = raw({ snapshot: true, levels: [[13, 1]], asks: columns([[12, 1]]) });
    expect(book.feed(of(instrument, whole))).toEqual(["snapshot"]);
    expect(book.builder.book.isCrossed()).toBe(true);
  });

  test.each(["trading", "post-only", "limit-only", "reduce-only"] as const)(
    "is %s is started anew, auctions or not",
    (state) => {
      const instrument = inState(state);
      const book = run({ ...IN_BAND, holdsAuctions: true }, { instrument });
      book.feed(of(instrument, start));
      expect(book.feed(of(instrument, crossing)).at(-1)).toBe("need crossed-book");
    },
  );

  test("is trading again after its auction is started anew", () => {
    const instrument = inState("auction");
    const book = run(IN_BAND, { instrument });
    book.feed(of(instrument, start), of(instrument, crossing));
    Object.assign(instrument, { state: "trading" });
    expect(book.feed(of(instrument, raw({ levels: [[9, 1]] }))).at(-1)).toBe("need crossed-book");
  });

  describe("may be in an auction or not", () => {
    const MAY_CROSS = { ...IN_BAND, holdsAuctions: true } as const;

    test("goes on, and a snapshot is wanted once that shows which", () => {
      const book = run(MAY_CROSS);
      book.feed(start);
      expect(book.feed(crossing)).toEqual(["delta", "doubt crossed-book"].toReversed());
      expect(book.feed(raw({ levels: [[9, 1]] }))).toEqual(["delta"]);
    });

    test("is in one if the snapshot is crossed too", () => {
      const book = run(MAY_CROSS);
      book.feed(start, crossing);
      const whole = raw({ snapshot: true, levels: [[13, 1]], asks: columns([[12, 1]]) });
      expect(book.feed(whole)).toEqual(["snapshot"]);
    });

    test("has lost something if the snapshot is not crossed", () => {
      const book = run(MAY_CROSS);
      book.feed(start, crossing);
      expect(book.feed(start)).toEqual([
        "gap crossed-book",
        "gap crossed-book",
        "resyncing crossed-book",
        "snapshot",
        "live synchronized",
      ]);
    });

    test("is not doubted any more once it does not cross", () => {
      const book = run(MAY_CROSS);
      book.feed(start, crossing, raw({ levels: [[13, 0]] }));
      expect(book.feed(start)).toEqual(["snapshot"]);
    });
  });
});

describe("a snapshot that is crossed", () => {
  const crossed = (fields: Partial<RawBook> = {}): RawBook =>
    raw({ snapshot: true, levels: [[10, 1]], asks: columns([[10, 1]]), ...fields });

  test("does not go live where nothing else proves the book; the next one does", () => {
    const book = run(IN_BAND);
    expect(book.feed(crossed())).toEqual([
      "syncing start",
      "gap crossed-book",
      "gap crossed-book",
      "resyncing crossed-book",
      "need crossed-book",
    ]);
    expect(book.builder.isLive).toBe(false);
    expect(book.feed(crossed())).toContain("need crossed-book");
    expect(book.feed(streamSnapshot())).toEqual(["snapshot", "live synchronized"]);
  });

  test("is taken as it is where numbers or a checksum prove it", () => {
    const numbered = run({ snapshot: "in-band", sequencing: NUMBERED });
    expect(numbered.feed(crossed({ lastUpdateId: 1 })).at(-1)).toBe("live synchronized");
    const checked = run(CHECKED);
    expect(checked.feed(crossed({ checksum: 10 })).at(-1)).toBe("live synchronized");
  });

  test("by REST keeps the deltas behind it for the next snapshot, and passes none of them on", () => {
    const book = run({ snapshot: "rest", sequencing: { ...NUMBERED, showsGaps: false } });
    book.feed(delta(11), delta(12));
    const asks = columns([[900, 1]]);
    expect(book.feed({ ...restSnapshot(10), asks }).slice(1)).toEqual([
      "gap crossed-book",
      "resyncing crossed-book",
      "need crossed-book",
    ]);
    expect(book.builder.bufferedCount).toBe(2);
    expect(book.feed(restSnapshot(10))).toEqual([
      "snapshot",
      "live synchronized",
      "delta",
      "delta",
    ]);
  });

  test("by one unit less is not crossed", () => {
    const book = run(IN_BAND);
    const touching = crossed({ asks: columns([[11, 1]]) });
    expect(book.feed(touching).at(-1)).toBe("live synchronized");
  });
});

describe("depth", () => {
  test("levels that fall out of the book are removed at the consumer too", () => {
    const book = run(IN_BAND, { depth: 2 });
    book.feed(
      streamSnapshot([
        [10, 1],
        [9, 1],
        [8, 1],
      ]),
    );
    expect(book.consumerBids()).toEqual(["10x1", "9x1"]);
    book.feed(raw({ levels: [[11, 1]] }));
    expect(book.consumerBids()).toEqual(["11x1", "10x1"]);
    expect(book.bids()).toEqual(["11x1", "10x1"]);
  });

  test("a level that comes and goes in one delta is no more than a removal", () => {
    const book = run(IN_BAND, { depth: 2 });
    book.feed(
      streamSnapshot([
        [10, 1],
        [9, 1],
      ]),
    );
    book.feed(raw({ levels: [[5, 3]] }));
    const last = book.outputs.at(-1);
    expect(last).toMatchObject({ event: { bids: { prices: [5], sizes: [0] } } });
    expect(book.consumerBids()).toEqual(["10x1", "9x1"]);
  });

  test("removals are written at the book's scale", () => {
    const book = run(IN_BAND, { depth: 1 });
    const scales = { priceScale: 2, sizeScale: 3 };
    book.feed(raw({ snapshot: true, ...scales, levels: [[1050, 1500]] }));
    book.feed(raw({ levels: [[11, 2]] }));
    const last = book.outputs.at(-1);
    expect(last).toMatchObject({
      event: { ...scales, bids: { prices: [1100, 1050], sizes: [2000, 0] } },
    });
    expect(book.consumerBids()).toEqual(["11x2"]);
  });

  test("the checksum is taken of the truncated book", () => {
    const book = run(CHECKED, { depth: 1 });
    expect(
      book.feed(
        streamSnapshot(
          [
            [10, 1],
            [9, 1],
          ],
          10,
        ),
      ),
    ).toContain("checksum ok");
    expect(book.feed(raw({ levels: [[11, 1]], checksum: 11 }))).toEqual(["checksum ok", "delta"]);
  });
});

describe("what the driver can do", () => {
  test("a lost connection takes the book down; the next one starts anew", () => {
    const book = run(REST);
    book.feed(delta(1), restSnapshot(1));
    book.builder.reset("disconnected", book.emit);
    expect(book.take()).toEqual(["down disconnected"]);
    expect(book.builder.isLive).toBe(false);
    expect(book.feed(delta(9))).toEqual(["resyncing disconnected", "need disconnected"]);
    expect(book.feed(restSnapshot(9))).toEqual(["snapshot", "live synchronized"]);
  });

  test("a reset forgets buffered deltas and the request", () => {
    const book = run(REST);
    book.feed(delta(1), delta(2));
    book.builder.reset("disconnected", book.emit);
    expect(book.builder.bufferedCount).toBe(0);
    expect(book.take()).toEqual(["down disconnected"]);
    expect(book.feed(delta(7))).toEqual(["syncing disconnected", "need disconnected"]);
  });

  test("a message that could not be read makes a live book resync, once", () => {
    const book = run(IN_BAND);
    book.feed(streamSnapshot());
    book.builder.resync("damaged-message", book.emit);
    expect(book.take()).toEqual([
      "gap damaged-message",
      "gap damaged-message",
      "resyncing damaged-message",
      "need damaged-message",
    ]);
    expect(book.feed(raw())).toEqual([]);
    expect(book.feed(streamSnapshot())).toEqual(["snapshot", "live synchronized"]);
  });

  test("an unreadable snapshot is asked for again", () => {
    const book = run(IN_BAND);
    book.builder.resync("damaged-message", book.emit);
    expect(book.take()).toEqual(["syncing start", "need damaged-message"]);
    book.builder.resync("damaged-message", book.emit);
    expect(book.take()).toEqual(["need damaged-message"]);
  });

  test("events carry the times of what made them", () => {
    const book = run(REST);
    book.feed({ ...delta(1), venueTimeUs: 10, receivedTimeUs: 20 });
    book.feed({ ...restSnapshot(0), receivedTimeUs: 30 });
    book.feed({ ...delta(2), venueTimeUs: undefined, receivedTimeUs: 40 });
    const events = book.outputs.flatMap((output) =>
      output.kind === "event" ? [output.event] : [],
    );
    expect(events.map(({ venueTimeUs, receivedTimeUs }) => [venueTimeUs, receivedTimeUs])).toEqual([
      [undefined, 30],
      [10, 20],
      [undefined, 40],
    ]);
  });
});
