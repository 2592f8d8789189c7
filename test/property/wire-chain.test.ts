// What a chain of batches says is what was written, to whoever reads it from the start, joins it
// anywhere, or loses some of it.
import { rowsOf } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import {
  BatchReader,
  BatchWriter,
  WireError,
  lastSequenceOf,
  readBusBatch,
  readBusEvents,
} from "@tickwire/proto/codec";
import type { BatchReading, BusBatch, DecodedBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainTrades, topicHistories } from "#test/support/wire-arbitraries.ts";
import { batchInFrame } from "#test/support/wire-client.ts";
import { plainEvent } from "#test/support/wire-events.ts";

const EPOCH = 1_767_225_600_000_000;

function written(history: readonly BatchRows[]): BusBatch[] {
  const kind = history[0]?.kind ?? "trades";
  const writer = new BatchWriter({ kind, epoch: EPOCH });
  return history.flatMap((rows) => writer.write(rows, { publishedTimeUs: EPOCH + 7 }));
}

function eventsOf(batch: DecodedBatch): unknown[] {
  return rowsOf(batch).rows.map(plainEvent);
}

function plainHistory(history: readonly BatchRows[]): unknown[] {
  return history.flatMap(({ rows }) => rows.map(plainEvent));
}

function readOne(reader: BatchReader, bytes: Uint8Array): DecodedBatch {
  const reading = reader.read(bytes);
  if (reading.outcome !== "read") throw new Error(`${reading.outcome}: not read`);
  return reading.batch;
}

describe("a chain", () => {
  test("gives every event back to who reads it from the start", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const reader = new BatchReader();
        const batches = written(history);
        const read = batches.map((batch, index) =>
          readOne(reader, batchInFrame(batch, index === 0 || batch.rebase)),
        );
        expect(read.flatMap(eventsOf)).toEqual(plainHistory(history));
        expect(read.map((batch) => batch.firstSequence)).toEqual(
          batches.map((batch) => batch.baseSequence + 1),
        );
        expect(read.every((batch) => batch.publishedTimeUs === EPOCH + 7)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  test("gives every batch to who reads it alone with its base", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const alone = written(history).map((batch) =>
          readOne(new BatchReader(), batchInFrame(batch, true)),
        );
        expect(alone.flatMap(eventsOf)).toEqual(plainHistory(history));
      }),
      { numRuns: 200 },
    );
  });

  test("goes on for who joined it anywhere", () => {
    fc.assert(
      fc.property(topicHistories, fc.nat(), (history, position) => {
        const batches = written(history);
        const from = position % batches.length;
        const reader = new BatchReader();
        const read = batches
          .slice(from)
          .map((batch, index) => readOne(reader, batchInFrame(batch, index === 0 || batch.rebase)));
        const events = read.flatMap(eventsOf);
        expect(events).toEqual(plainHistory(history).slice(-events.length));
      }),
      { numRuns: 200 },
    );
  });

  test("goes on past batches that only say the position", () => {
    fc.assert(
      fc.property(topicHistories, fc.nat(), (history, at) => {
        const kind = history[0]?.kind ?? "trades";
        const writer = new BatchWriter({ kind, epoch: EPOCH });
        const init = { publishedTimeUs: EPOCH };
        const batches = history.flatMap((rows, index) => {
          const news = writer.write(rows, init);
          return index === at % history.length ? [...news, writer.writePosition(init)] : news;
        });
        const reader = new BatchReader();
        const read = batches.map((batch, index) =>
          readOne(reader, batchInFrame(batch, index === 0 || batch.rebase)),
        );
        expect(read.flatMap(eventsOf)).toEqual(plainHistory(history));
        expect(read.filter(({ count }) => count === 0)).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  test("is read from a bus message as it was written", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const events: unknown[] = [];
        for (const batch of written(history)) {
          const read = readBusBatch(batch.bytes.slice());
          expect(read).toEqual({ ...batch, bytes: expect.anything() });
          events.push(...eventsOf(readBusEvents(read)));
        }
        expect(events).toEqual(plainHistory(history));
      }),
      { numRuns: 300 },
    );
  });

  test("says a snapshot that stands at its sequence, after which a base is needed", () => {
    fc.assert(
      fc.property(topicHistories, fc.nat(), (history, sequence) => {
        const [rows] = history as [BatchRows];
        const topic = { kind: rows.kind, epoch: EPOCH, sequence };
        const reader = new BatchReader();
        const batches = BatchWriter.snapshot(topic, rows, { publishedTimeUs: EPOCH });
        const read = batches.map((batch) => readOne(reader, batchInFrame(batch, true)));
        expect(read.flatMap(eventsOf)).toEqual(plainHistory([rows]));
        expect(read.every((batch) => batch.snapshot && batch.firstSequence === sequence)).toBe(
          true,
        );
        expect(reader.isChained).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

/** One session's hold on a topic, as a gateway keeps it: whether the next news needs its base. */
class Subscription {
  needsBase = true;
  #position = -1;

  element(batch: BusBatch): Uint8Array {
    const isNext = batch.baseSequence === this.#position;
    const withBase = this.needsBase || batch.rebase || batch.snapshot || !isNext;
    this.needsBase = batch.snapshot;
    this.#position = lastSequenceOf(batch);
    return batchInFrame(batch, withBase);
  }
}

/** A client that asks again, at its position, for what it cannot read. */
class Client {
  readonly events = new Map<number, unknown>();
  position = 0;
  /** Batches that were read though something before them was missing. */
  unseenHoles = 0;
  #reader = new BatchReader();

  /** False if it has to subscribe again. */
  take(element: Uint8Array): boolean {
    const reading = this.#read(element);
    if (reading?.outcome !== "read") return false;
    const { batch } = reading;
    const events = eventsOf(batch);
    if (batch.firstSequence - batch.skipped - 1 > this.position) this.unseenHoles += 1;
    for (const [index, event] of events.entries()) {
      const sequence = batch.firstSequence + index;
      if (sequence > this.position) this.events.set(sequence, event);
    }
    this.position = Math.max(this.position, batch.firstSequence + events.length - 1);
    return true;
  }

  /** Undefined for a batch that makes no sense to the chain, which lost the base that it needs. */
  #read(element: Uint8Array): BatchReading | undefined {
    try {
      return this.#reader.read(element);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return undefined;
    }
  }
}

type Fate = "delivered" | "lost";

const fates = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Fate>("delivered") },
    { weight: 1, arbitrary: fc.constant<Fate>("lost") },
  ),
  { minLength: 40, maxLength: 40 },
);

/** Trades whose prices need that many decimals. */
function finerTrades(first: number, count: number, scale: number): BatchRows {
  const { rows } = plainTrades(first, count) as Extract<BatchRows, { kind: "trades" }>;
  const finer = rows.map((row) => ({ ...row, priceMantissa: 7, priceScale: scale }));
  return { kind: "trades", rows: finer };
}

describe("a reader that lost batches", () => {
  // Up to 8 events a batch and 12 batches: less than 127 events are lost in a row.
  test("notices at the next batch, and misses nothing after it asked again", () => {
    fc.assert(
      fc.property(topicHistories, fates, (history, plan) => {
        const batches = written(history);
        const client = new Client();
        let subscription = new Subscription();
        const catchUp = (upTo: number): void => {
          subscription = new Subscription();
          for (const batch of batches.slice(0, upTo + 1)) {
            if (lastSequenceOf(batch) <= client.position) continue;
            expect(client.take(subscription.element(batch))).toBe(true);
          }
        };
        let isPending = false;
        let falseAlarms = 0;
        for (const [index, batch] of batches.entries()) {
          const element = subscription.element(batch);
          if (plan[index % plan.length] === "lost") {
            isPending = true;
            continue;
          }
          // A batch with its base shows a loss by its sequence, one without by the residue.
          const shows = isPending && element.length === batchInFrame(batch, true).length;
          if (shows || !client.take(element)) {
            if (!isPending) falseAlarms += 1;
            catchUp(index);
          }
          isPending = false;
        }
        catchUp(batches.length - 1);
        expect(falseAlarms).toBe(0);
        expect(client.unseenHoles).toBe(0);
        const events = plainHistory(history);
        expect([...client.events.keys()]).toEqual(events.map((_, index) => index + 1));
        expect([...client.events.values()]).toEqual(events);
      }),
      { numRuns: 400 },
    );
  });

  test("knows exactly what a gateway missed on the bus", () => {
    fc.assert(
      fc.property(topicHistories, fates, (history, plan) => {
        const batches = written(history);
        const events = plainHistory(history);
        const reader = new BatchReader();
        const subscription = new Subscription();
        const seen = new Map<number, unknown>();
        let position = 0;
        let missing = 0;
        for (const [index, batch] of batches.entries()) {
          if (plan[index % plan.length] === "lost") continue;
          const read = readOne(reader, subscription.element(batch));
          missing += read.firstSequence - 1 - position;
          for (const [at, event] of eventsOf(read).entries())
            seen.set(read.firstSequence + at, event);
          position = read.firstSequence - 1 + read.count;
        }
        expect(seen.size + missing).toBe(position);
        for (const [sequence, event] of seen) expect(event).toEqual(events[sequence - 1]);
      }),
      { numRuns: 200 },
    );
  });

  test("notices 127 lost events, whose residue is the same, where the sequence stands whole", () => {
    const writer = new BatchWriter({ kind: "trades", epoch: EPOCH });
    const reader = new BatchReader();
    const outcomes: string[] = [];
    for (let index = 0; index < 200; index += 1) {
      const [batch] = writer.write(plainTrades(index, 1), { publishedTimeUs: EPOCH });
      if (batch === undefined || (index >= 10 && index < 10 + 127)) continue;
      const reading = reader.read(batchInFrame(batch, index === 0));
      outcomes.push(reading.outcome === "lost" ? reading.reason : reading.outcome);
    }
    const noticed = outcomes.indexOf("last-sequence");
    expect(noticed).toBeGreaterThan(10);
    expect(noticed).toBeLessThanOrEqual(10 + 64);
    expect(new Set(outcomes.slice(noticed + 1))).toEqual(new Set(["no-base"]));
  });

  test("notices a lost base, however many events were lost with it", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(counts, fc.nat(400), (scaleSteps, events) => {
        const writer = new BatchWriter({ kind: "trades", epoch: EPOCH });
        const reader = new BatchReader();
        const write = (rows: BatchRows): BusBatch[] =>
          writer.write(rows, { publishedTimeUs: EPOCH });
        const [first] = write(plainTrades(0, 1));
        expect(readOne(reader, batchInFrame(first!, true)).count).toBe(1);
        let scale = 8;
        let bases = 0;
        // All of them are lost, in multiples of 127 events too.
        let lost = 0;
        for (const [index, step] of scaleSteps.entries()) {
          scale += step;
          const isLast = index === scaleSteps.length - 1;
          const count = isLast ? 127 - (lost % 127) : 1 + (events % 100);
          lost += count;
          const batches = write(finerTrades(lost, count, scale));
          bases += batches.filter(({ rebase }) => rebase).length;
        }
        // A number or two that is much finer travels as text.
        fc.pre(bases > 0);
        expect(lost % 127).toBe(0);
        const [next] = write(finerTrades(lost + 1, 1, scale));
        expect(next!.rebase).toBe(false);
        expect(reader.read(batchInFrame(next!, false))).toMatchObject({ outcome: "lost" });
      }),
      { numRuns: 200 },
    );
  });

  test("takes nothing for whole that has no chain", () => {
    const [batch] = written([plainTrades(0, 3)]);
    const reader = new BatchReader();
    if (batch === undefined) throw new Error("nothing was written");
    expect(reader.read(batchInFrame(batch, false))).toEqual({ outcome: "lost", reason: "no-base" });
    expect(readOne(reader, batchInFrame(batch, true)).count).toBe(3);
    reader.reset();
    expect(reader.isChained).toBe(false);
  });
});

describe("a view", () => {
  test("has a chain of its own, which says what it left out; changing to it needs a base", () => {
    fc.assert(
      fc.property(
        topicHistories,
        fc.nat(),
        fc.integer({ min: 1, max: 4 }),
        (history, at, every) => {
          const kind = history[0]?.kind ?? "trades";
          const raw = written(history);
          const rows = history.flatMap((part) => part.rows as readonly object[]);
          // The view keeps the last of each `every` events.
          const view = new BatchWriter({ kind, epoch: EPOCH });
          const viewed: BusBatch[] = [];
          for (let end = every; end <= rows.length; end += every) {
            const kept = { kind, rows: [rows[end - 1]] } as unknown as BatchRows;
            viewed.push(...view.write(kept, { publishedTimeUs: EPOCH, skipped: every - 1 }));
          }
          const reader = new BatchReader();
          const subscription = new Subscription();
          const switchAt = at % (raw.length + 1);
          let position = 0;
          for (const batch of raw.slice(0, switchAt)) {
            const read = readOne(reader, subscription.element(batch));
            position = read.firstSequence + read.count - 1;
          }
          subscription.needsBase = true;
          for (const batch of viewed) {
            if (lastSequenceOf(batch) <= position) continue;
            const read = readOne(reader, subscription.element(batch));
            expect(read.skipped).toBe(every - 1);
            // Nothing between the position and the batch is left unsaid.
            expect(read.firstSequence - read.skipped - 1).toBeLessThanOrEqual(position);
            expect(eventsOf(read)).toEqual([plainEvent(rows[read.firstSequence - 1] as object)]);
            position = read.firstSequence;
          }
          expect(position).toBeGreaterThanOrEqual(rows.length - (rows.length % every));
        },
      ),
      { numRuns: 200 },
    );
  });
});
