import {
  PendingBooks,
  PendingQuotes,
  PendingTrades,
  type PendingColumns,
} from "@tickwire/proto/codec";
import fc from "fast-check";

const START_US = 1_767_225_600_000_000;

/** One event: what its numbers add to those of the event before, and what it says instead. */
type Step = {
  readonly advanceUs: number;
  /** Undefined for an event without a venue time. */
  readonly venueLagUs: number | undefined;
  readonly levels: readonly Level[];
  /** Of its levels, the first so many are bids. */
  readonly bids: number;
  readonly side: number;
  readonly id: number | string;
};

type Level = { readonly priceStep: number; readonly size: number };

/** A batch of one topic: its scales, how its numbers are made, and its events. */
type BatchPlan = {
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly skipped: number;
  readonly venueUnitUs: number;
  readonly steps: readonly Step[];
};

const SAFE = Number.MAX_SAFE_INTEGER;

/** Mostly of the size that markets have, sometimes at the limits of what is written fast. */
function mostly(usual: fc.Arbitrary<number>, rare: readonly number[]): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 40, arbitrary: usual },
    { weight: 1, arbitrary: fc.constantFrom(...rare) },
  );
}

const EDGES = [7, 14, 21, 25, 26, 27, 28, 29, 30, 31, 32, 40, 48, 49, 50, 51, 52].flatMap((bits) =>
  [-1, 0, 1].flatMap((step) => [2 ** bits + step, -(2 ** bits) + step]),
);
const POSITIVE_EDGES = [...EDGES.filter((edge) => edge > 0), SAFE - 1, SAFE];

const level: fc.Arbitrary<Level> = fc.record({
  priceStep: mostly(fc.integer({ min: -300, max: 300 }), EDGES),
  size: mostly(fc.oneof(fc.constant(0), fc.nat(90_000_000)), POSITIVE_EDGES),
});

function step(levelsMax: number, idKinds: "counted" | "any"): fc.Arbitrary<Step> {
  const counted = mostly(fc.constant(1), [0, -1, 2, 1_000, 2 ** 40]);
  const id =
    idKinds === "counted"
      ? counted
      : fc.oneof(counted, fc.constantFrom("", "a-7", "007", "9".repeat(27), "é"));
  return fc.record({
    advanceUs: mostly(fc.nat(3_000), [0, -1, -5_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 45]),
    venueLagUs: fc.option(mostly(fc.nat(60), [-1, -900_000_000, 2 ** 28, 2 ** 40]), {
      nil: undefined,
      freq: 20,
    }),
    levels: fc.array(level, { minLength: 1, maxLength: levelsMax }),
    bids: fc.nat(levelsMax),
    side: fc.nat(2),
    id,
  });
}

function plan(steps: fc.Arbitrary<readonly Step[]>): fc.Arbitrary<BatchPlan> {
  return fc.record({
    priceScale: mostly(fc.constant(2), [0, 3, 9]),
    sizeScale: mostly(fc.constant(8), [0, 7, 9]),
    skipped: mostly(fc.constant(0), [1, 900]),
    venueUnitUs: mostly(fc.constant(1_000), [1]),
    steps,
  });
}

/** Numbers that go on from batch to batch. */
type Run = { receivedUs: number; price: number; askPrice: number; id: number };

function within(value: number): number {
  return Math.abs(value) > SAFE ? 4_200_000 : value;
}

function addEvent(columns: PendingColumns, run: Run, { venueUnitUs }: BatchPlan, event: Step) {
  const index = columns.count;
  columns.reserve();
  run.receivedUs = within(run.receivedUs + event.advanceUs);
  columns.receivedTimesUs[index] = run.receivedUs;
  const { venueLagUs } = event;
  columns.venueTimesUs[index] =
    venueLagUs === undefined
      ? NaN
      : within((Math.floor(run.receivedUs / venueUnitUs) - venueLagUs) * venueUnitUs);
  if (columns.kind === "books") addLevels(columns, run, event);
  else addPrice(columns, run, event);
  columns.count = index + 1;
}

function addPrice(columns: PendingTrades | PendingQuotes, run: Run, event: Step): void {
  const index = columns.count;
  const [first, second = first] = event.levels as [Level, Level?];
  run.price = within(run.price + first.priceStep);
  if (columns.kind === "trades") {
    columns.prices[index] = run.price;
    columns.sizes[index] = first.size;
    columns.sides[index] = event.side;
    if (typeof event.id === "number") run.id = Math.abs(within(run.id + event.id));
    columns.ids[index] = typeof event.id === "number" ? run.id : NaN;
    if (typeof event.id === "string") columns.idTexts[index] = event.id;
    return;
  }
  const isNew = event.side > 0;
  columns.bidPrices[index] = run.price;
  columns.bidSizes[index] =
    isNew || index === 0 ? first.size : (columns.bidSizes[index - 1] as number);
  columns.askPrices[index] = within(run.price + 1 + event.bids);
  columns.askSizes[index] = second.size;
}

function addLevels(columns: PendingBooks, run: Run, { levels, bids: bidsMax }: Step): void {
  const bids = Math.min(bidsMax, levels.length);
  columns.reserveLevels(levels.length);
  for (const [place, { priceStep, size }] of levels.entries()) {
    const price = within((place < bids ? run.price : run.askPrice) + priceStep);
    if (place < bids) run.price = price;
    else run.askPrice = price;
    columns.prices[columns.levelCount] = price;
    columns.sizes[columns.levelCount] = size;
    columns.levelCount += 1;
  }
  columns.bidCounts[columns.count] = bids;
  columns.askCounts[columns.count] = levels.length - bids;
}

function pendingOf(kind: PendingColumns["kind"]): PendingColumns {
  if (kind === "trades") return new PendingTrades();
  return kind === "quotes" ? new PendingQuotes() : new PendingBooks();
}

/** A batch that waits, with the events that were conflated away before it. */
export type PendingBatch = { readonly columns: PendingColumns; readonly skipped: number };

function historyOf(kind: PendingColumns["kind"], plans: readonly BatchPlan[]): PendingBatch[] {
  const run: Run = { receivedUs: START_US, price: 4_200_000, askPrice: 4_200_100, id: 77 };
  return plans.map((batch) => {
    const columns = pendingOf(kind);
    columns.priceScale = batch.priceScale;
    columns.sizeScale = batch.sizeScale;
    for (const event of batch.steps) addEvent(columns, run, batch, event);
    return { columns, skipped: batch.skipped };
  });
}

/** Histories of a topic in columns: batches of 1 to 80 events. */
export const columnHistories: fc.Arbitrary<PendingBatch[]> = fc
  .record({
    kind: fc.constantFrom<PendingColumns["kind"]>("trades", "quotes", "books"),
    ids: fc.constantFrom("counted" as const, "counted" as const, "any" as const),
    hasVenueTimes: fc.boolean(),
    levelsMax: fc.constantFrom(1, 3, 12),
    countMax: fc.constantFrom(1, 4, 20, 80),
  })
  .chain(({ kind, ids, hasVenueTimes, levelsMax, countMax }) => {
    const timed = step(levelsMax, ids);
    const event = hasVenueTimes ? timed : timed.map((made) => ({ ...made, venueLagUs: undefined }));
    const steps = fc.array(event, { minLength: 1, maxLength: countMax });
    return fc
      .array(plan(steps), { minLength: 1, maxLength: 8 })
      .map((plans) => historyOf(kind, plans));
  });
