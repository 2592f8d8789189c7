import fc from "fast-check";
import { OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { BookBuilder } from "#core/book-builder.ts";
import type { BookOutput } from "#core/book-output.ts";
import type { BookSequencing, BookSync, RawBook } from "#core/book-sync.ts";
import type { Instrument } from "#core/instrument.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";

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
const RUNS = 150;
const MESSAGES = 120;
const FAULTY_MESSAGES = 90;

type Sides = {
  readonly bids: ReadonlyMap<number, number>;
  readonly asks: ReadonlyMap<number, number>;
};

/** A venue's true book after each single update, and the deltas that it sends about them. */
type Truth = { readonly states: readonly Sides[]; readonly deltas: readonly RawBook[] };

function columns(levels: Iterable<readonly [number, number]>) {
  const pairs = [...levels];
  return { prices: pairs.map(([price]) => price), sizes: pairs.map(([, size]) => size) };
}

function message(fields: Partial<RawBook>, sides: Sides): RawBook {
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
    bids: columns(sides.bids),
    asks: columns(sides.asks),
    ...fields,
  };
}

function updated(before: Sides, random: Prng): Sides {
  const sides = { bids: new Map(before.bids), asks: new Map(before.asks) };
  const bid = random.chance(0.5);
  const side = bid ? sides.bids : sides.asks;
  const price = (bid ? 100 : 120) + random.below(20);
  if (random.chance(0.35)) side.delete(price);
  else side.set(price, 1 + random.below(50));
  return sides;
}

/** What a delta says: absolute sizes of what differs, 0 for what is gone. */
function difference(from: Sides, to: Sides): Sides {
  const changes = (before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>) => {
    const changed = new Map<number, number>();
    for (const price of before.keys()) if (!after.has(price)) changed.set(price, 0);
    for (const [price, size] of after) if (before.get(price) !== size) changed.set(price, size);
    return changed;
  };
  return { bids: changes(from.bids, to.bids), asks: changes(from.asks, to.asks) };
}

/**
 * Every level that some update touched, also one that is back where it was: a snapshot may lie in
 * between.
 */
function touched(states: readonly Sides[]): Sides {
  const last = states.at(-1)!;
  const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  for (let index = 1; index < states.length; index++) {
    const step = difference(states[index - 1]!, states[index]!);
    for (const side of ["bids", "asks"] as const) {
      for (const price of step[side].keys()) sides[side].set(price, last[side].get(price) ?? 0);
    }
  }
  return sides;
}

/**
 * Deltas of one to four updates each; `stride` leaves that many numbers unused between two of them.
 */
function createTruth(random: Prng, stride: number): Truth {
  const states: Sides[] = [{ bids: new Map(), asks: new Map() }];
  const deltas: RawBook[] = [];
  let previousUpdateId = 0;
  while (deltas.length < MESSAGES) {
    const from = states.at(-1)!;
    for (let unused = 0; unused < stride; unused++) states.push(from);
    const firstUpdateId = states.length;
    const count = 1 + random.below(4);
    for (let index = 0; index < count; index++) states.push(updated(states.at(-1)!, random));
    const lastUpdateId = states.length - 1;
    const ids = { firstUpdateId, lastUpdateId, previousUpdateId };
    deltas.push(message(ids, touched(states.slice(firstUpdateId - 1))));
    previousUpdateId = lastUpdateId;
  }
  return { states, deltas };
}

/** Drops, repeats and swaps some of the first deltas; the rest arrives as sent. */
function withFaults(deltas: readonly RawBook[], random: Prng): RawBook[] {
  const arriving: RawBook[] = [];
  deltas.forEach((delta, index) => {
    const luck = index < FAULTY_MESSAGES ? random.next() : 1;
    if (luck < 0.03) return;
    if (luck < 0.06) arriving.splice(Math.max(0, arriving.length - 1), 0, delta);
    else arriving.push(delta);
    if (luck > 0.06 && luck < 0.09) arriving.push(delta);
  });
  return arriving;
}

/** A builder, a consumer of its events, and what it has said. */
function createBook(sync: BookSync, depth?: number) {
  const builder = new BookBuilder({
    sync,
    instrument: INSTRUMENT,
    bufferedDeltasMax: 10,
    depth,
  });
  const consumer = new OrderBook();
  const said: BookOutput[] = [];
  const emit = (output: BookOutput): void => {
    said.push(output);
    if (output.kind !== "event") return;
    if (output.event.snapshot) consumer.applySnapshot(output.event);
    else consumer.applyDelta(output.event);
  };
  return {
    builder,
    consumer,
    said,
    /** What it says about this message. */
    handle(raw: RawBook): readonly BookOutput[] {
      const start = said.length;
      builder.handle(raw, emit);
      return said.slice(start);
    },
  };
}

function sidesOf(book: OrderBook): unknown {
  const { bids, asks } = { bids: book.bids(), asks: book.asks() };
  return { bids, asks };
}

function sidesOfState(state: Sides): unknown {
  return {
    bids: columns([...state.bids].toSorted(([a], [b]) => b - a)),
    asks: columns([...state.asks].toSorted(([a], [b]) => a - b)),
  };
}

const count = (said: readonly BookOutput[], kind: BookOutput["kind"], state?: string): number =>
  said.filter((each) => each.kind === kind && (!("state" in each) || each.state === state)).length;

/**
 * REST answers come some messages after the request, showing the book as it was somewhere in
 * between.
 */
function runRest(
  seed: number,
  sync: { readonly snapshot: "rest" | "request"; readonly sequencing: BookSequencing },
  stride: number,
): readonly BookOutput[] {
  const random = createPrng(seed);
  const { states, deltas } = createTruth(random, stride);
  const book = createBook(sync);
  /** The newest update that the book must contain while it is live. */
  let updateId = 0;
  let sentId = 0;
  let answers: { due: number; updateId: number }[] = [];
  const deliver = (raw: RawBook, now: number): void => {
    const said = book.handle(raw);
    const taken = !raw.snapshot || said.some((each) => each.kind === "event");
    if (taken) updateId = Math.max(updateId, raw.lastUpdateId!);
    if (said.some((each) => each.kind === "need-snapshot")) {
      // With a stride only the ends of deltas are numbers that a snapshot can have.
      const back = stride > 0 ? 0 : random.below(3);
      answers.push({ due: now + random.below(8), updateId: Math.max(0, sentId - back) });
    }
    expect(book.builder.isLive ? sidesOf(book.builder.book) : "not live").toEqual(
      book.builder.isLive ? sidesOfState(states[updateId]!) : "not live",
    );
    expect(book.builder.isLive ? sidesOf(book.consumer) : "not live").toEqual(
      book.builder.isLive ? sidesOf(book.builder.book) : "not live",
    );
  };
  withFaults(deltas, random).forEach((delta, now) => {
    sentId = Math.max(sentId, delta.lastUpdateId!);
    deliver(delta, now);
    const due = answers.filter((answer) => answer.due <= now);
    answers = answers.filter((answer) => answer.due > now);
    for (const answer of due) {
      const fields = { snapshot: true, source: "rest", lastUpdateId: answer.updateId } as const;
      deliver(message(fields, states[answer.updateId]!), now);
    }
  });
  expect(book.builder.isLive).toBe(true);
  expect(sidesOf(book.consumer)).toEqual(sidesOfState(states.at(-1)!));
  // Every gap said while live is one episode: one state gap, one state resyncing, one return to
  // live.
  const lost = count(book.said, "state", "gap");
  expect(count(book.said, "state", "resyncing")).toBe(lost);
  expect(count(book.said, "state", "live")).toBe(lost + 1);
  expect(count(book.said, "gap")).toBeGreaterThanOrEqual(lost);
  expect(count(book.said, "gap")).toBeLessThanOrEqual(lost + 1);
  return book.said;
}

/** Stands in for a checksum: everything about the book, so that nothing can be wrong unseen. */
function hash(text: string): number {
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0;
  }
  return value;
}

function truncated(state: Sides, depth: number): Sides {
  return {
    bids: new Map([...state.bids].toSorted(([a], [b]) => b - a).slice(0, depth)),
    asks: new Map([...state.asks].toSorted(([a], [b]) => a - b).slice(0, depth)),
  };
}

/**
 * A venue that shows the best levels only and says nothing about levels that others push out:
 * whoever follows has to cut the book himself, or the checksum fails.
 */
function runChecked(seed: number, depth: number): readonly BookOutput[] {
  const random = createPrng(seed);
  const { states } = createTruth(random, 0);
  const views = states.map((state) => truncated(state, depth));
  const checksums = views.map((view) => hash(JSON.stringify(sidesOfState(view))));
  const deltas = views.slice(1).map((view, index) => {
    const changes = difference(views[index]!, view);
    const full = states[index + 1]!;
    const said = (side: "bids" | "asks") =>
      [...changes[side]].filter(([price, size]) => size !== 0 || !full[side].has(price));
    const sides = { bids: new Map(said("bids")), asks: new Map(said("asks")) };
    return message({ checksum: checksums[index + 1]!, receivedTimeUs: index + 1 }, sides);
  });
  const checksum = (book: OrderBook): number => hash(JSON.stringify(sidesOf(book)));
  const book = createBook({ snapshot: "in-band", checksum }, depth);
  let due: number | undefined = 0;
  withFaults(deltas, random).forEach((delta, now) => {
    // The place of the message in the true sequence, which the builder does not look at.
    let id = delta.receivedTimeUs;
    let said = book.handle(delta);
    if (said.some((each) => each.kind === "need-snapshot")) due = now + random.below(5);
    if (due !== undefined && due <= now) {
      due = undefined;
      const fields = { snapshot: true, checksum: checksums[id]! };
      said = book.handle(message(fields, views[id]!));
      id = delta.receivedTimeUs;
    }
    expect(book.builder.isLive ? sidesOf(book.consumer) : "not live").toEqual(
      book.builder.isLive ? sidesOfState(views[id]!) : "not live",
    );
  });
  expect(book.builder.isLive).toBe(true);
  expect(count(book.said, "state", "resyncing")).toBe(count(book.said, "state", "gap"));
  expect(count(book.said, "need-snapshot")).toBe(count(book.said, "state", "gap"));
  return book.said;
}

/** Gaps found in all runs together, so that a generator without faults would be noticed. */
function gapsOver(seed: number, run: (seed: number) => readonly BookOutput[]): number {
  let gaps = 0;
  const property = fc.property(fc.nat(), (runSeed) => {
    gaps += count(run(runSeed), "gap");
  });
  fc.assert(property, { numRuns: RUNS, seed });
  return gaps;
}

describe("under dropped, repeated and swapped deltas a book is right or says that it is not live", () => {
  test.each(["rest", "request"] as const)("numbered without holes, snapshots by %s", (snapshot) => {
    const sequencing: BookSequencing = {
      isCovered: (delta, id) => delta.lastUpdateId! <= id,
      bridges: (delta, id) => delta.firstUpdateId! <= id + 1 && id + 1 <= delta.lastUpdateId!,
      follows: (delta, id) => delta.firstUpdateId === id + 1,
    };
    const sync = { snapshot, sequencing };
    expect(gapsOver(1, (seed) => runRest(seed, sync, 0))).toBeGreaterThan(RUNS);
  });

  test("numbered with holes and a pointer to the delta before", () => {
    const sequencing: BookSequencing = {
      isCovered: (delta, id) => delta.lastUpdateId! < id,
      bridges: (delta, id) =>
        (delta.firstUpdateId! <= id && id <= delta.lastUpdateId!) || delta.previousUpdateId === id,
      follows: (delta, id) => delta.previousUpdateId === id,
    };
    const sync = { snapshot: "rest", sequencing } as const;
    expect(gapsOver(2, (seed) => runRest(seed, sync, 3))).toBeGreaterThan(RUNS);
  });

  test("not numbered at all, with a checksum over the best levels", () => {
    expect(gapsOver(3, (seed) => runChecked(seed, 1 + (seed % 25)))).toBeGreaterThan(RUNS);
  });
});
