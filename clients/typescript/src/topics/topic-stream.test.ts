import fc from "fast-check";
import {
  encodeBatch,
  readBatch,
  type BatchHeaderInit,
  type BookRow,
  type DecodedBatch,
  type TradeRow,
} from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import type { LiveBook } from "../events/book.ts";
import type { MarketEvent } from "../events/events.ts";
import type { GapEvent, NoticeEvent } from "../events/stream-events.ts";
import { Consumer } from "./consumer.ts";
import type { Position } from "./position-tracker.ts";
import { TopicStream, type StreamCounters } from "./topic-stream.ts";
import type { Channel } from "./topic.ts";

type Header = Partial<BatchHeaderInit> & { readonly firstSequence: number };

function header(given: Header): BatchHeaderInit {
  return { epoch: 1, publishedTimeUs: 3, ...given };
}

function trade(sequence: number): TradeRow {
  return {
    venueTimeUs: 1,
    receivedTimeUs: 2,
    priceMantissa: sequence,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: String(sequence),
    historical: false,
  };
}

function trades(given: Header, count = 1): DecodedBatch {
  const rows = Array.from({ length: count }, (_, index) => trade(given.firstSequence + index));
  return readBatch(encodeBatch(header(given), { kind: "trades", rows }));
}

/** Bids as price to size. */
type Levels = ReadonlyMap<number, number>;

function bookRow(bids: Levels, snapshot = false): BookRow {
  return {
    venueTimeUs: 1,
    receivedTimeUs: 2,
    snapshot,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [...bids.keys()], sizes: [...bids.values()] },
    asks: { prices: [], sizes: [] },
  };
}

function books(given: Header, rows: readonly BookRow[]): DecodedBatch {
  return readBatch(encodeBatch(header(given), { kind: "books", rows }));
}

/** A topic with one consumer, and what it was told. */
class Stand {
  readonly counters: StreamCounters = {
    events: 0,
    duplicateEvents: 0,
    gaps: 0,
    unknownTopicBatches: 0,
  };
  readonly events: MarketEvent[] = [];
  readonly notices: NoticeEvent[] = [];
  readonly states: string[] = [];
  resyncs = 0;
  view: LiveBook | undefined;
  readonly stream: TopicStream;
  #nextTopicId = 1;

  constructor(channel: Channel) {
    const info = {
      topic: `binance:BTC-USDT/${channel}`,
      venue: "binance",
      symbol: "BTC-USDT",
      venueSymbol: "BTCUSDT",
      channel,
    };
    this.stream = new TopicStream(info, this.counters, () => {
      this.resyncs += 1;
    });
    this.stream.setConsumers([this.consumer()]);
  }

  consumer(): Consumer {
    return new Consumer([this.stream.info.topic], {
      event: (event) => this.events.push(event),
      notice: (notice) => this.notices.push(notice),
      book: (book) => {
        this.view = book;
        this.states.push(book.state);
      },
      end: () => undefined,
    });
  }

  start(continuity: "new" | "resumed" | "replaced", position?: Position): void {
    this.stream.start({ topicId: this.#nextTopicId++, continuity, position });
  }

  sequences(): number[] {
    return this.events.map(({ sequence }) => sequence);
  }

  gaps(): Pick<GapEvent, "epoch" | "missingFirst" | "missingLast" | "reason">[] {
    return this.notices
      .filter((notice) => notice.type === "gap")
      .map(({ epoch, missingFirst, missingLast, reason }) => ({
        epoch,
        missingFirst,
        missingLast,
        reason,
      }));
  }
}

describe("a topic of events", () => {
  test("delivers each event once, whatever comes twice", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.receive(trades({ firstSequence: 5 }, 3));
    stand.stream.receive(trades({ firstSequence: 5 }, 3));
    stand.stream.receive(trades({ firstSequence: 6 }, 4));
    expect(stand.sequences()).toEqual([5, 6, 7, 8, 9]);
    expect(stand.counters).toMatchObject({ events: 5, duplicateEvents: 5, gaps: 0 });
  });

  test("asks again for what it cannot prove, and goes on from where it was", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.receive(trades({ firstSequence: 6 }));
    expect(stand.sequences()).toEqual([]);
    expect([stand.resyncs, stand.counters.gaps]).toEqual([1, 1]);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "resyncing", reason: "sequence-gap" });
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 4 });
    stand.start("resumed");
    stand.stream.receive(trades({ firstSequence: 5 }, 2));
    expect(stand.sequences()).toEqual([5, 6]);
    expect(stand.gaps()).toEqual([]);
  });

  test("reports what the gateway says is missing, and takes the batch after it", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.announceMissing(5, 7);
    stand.stream.receive(trades({ firstSequence: 8 }));
    expect(stand.sequences()).toEqual([8]);
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: 7, reason: "server-dropped" },
    ]);
  });

  test("reports a loss that a resume could not make good once, though it is said twice", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.disconnect();
    stand.start("replaced", { epoch: 1, sequence: 9 });
    stand.stream.announceMissing(5, 9);
    const loss = { epoch: 1, missingFirst: 5, missingLast: 9, reason: "not-resumable" };
    expect(stand.gaps()).toEqual([loss]);
  });

  test("says that the extent of a loss is unknown where the publisher began anew", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.receive(trades({ epoch: 2, firstSequence: 1 }));
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: undefined, reason: "epoch-changed" },
    ]);
    expect(stand.events).toHaveLength(1);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", reason: "epoch-changed" });
  });

  test("hands on nothing while there is no connection", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.disconnect();
    stand.stream.receive(trades({ firstSequence: 5 }));
    expect(stand.events).toEqual([]);
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 4 });
  });
});

describe("a book", () => {
  const snapshot = books({ firstSequence: 5, snapshot: true }, [
    bookRow(new Map([[100, 1]]), true),
  ]);
  const change = (firstSequence: number, price: number, size: number) =>
    books({ firstSequence }, [bookRow(new Map([[price, size]]))]);

  test("is shown when its snapshot came, and after each batch", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    expect(stand.states).toEqual([]);
    stand.stream.receive(snapshot);
    stand.stream.receive(change(6, 101, 2));
    expect(stand.states).toEqual(["live", "live"]);
    expect(stand.view?.bids.map((level) => level.toJSON())).toEqual([
      ["101", "2"],
      ["100", "1"],
    ]);
    expect(stand.view?.sequence).toBe(6);
  });

  test("without a snapshot takes no change and asks again", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.stream.receive(change(6, 101, 2));
    expect(stand.resyncs).toBe(1);
    expect(stand.states).toEqual(["resyncing"]);
    expect(stand.view?.bids).toEqual([]);
    expect(stand.stream.resumePosition).toBeUndefined();
  });

  test("that lost the connection is resumed where it was, and shown again as it was", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.stream.receive(snapshot);
    stand.stream.disconnect();
    expect(stand.view?.bids).toEqual([]);
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 5 });
    stand.start("resumed");
    expect(stand.states).toEqual(["live", "disconnected", "live"]);
    expect(stand.view?.bids).toHaveLength(1);
  });

  test("of which changes were dropped is worth nothing until a snapshot comes", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.stream.receive(snapshot);
    stand.stream.announceMissing(6, 8);
    expect(stand.states).toEqual(["live", "resyncing"]);
    expect(stand.stream.resumePosition).toBeUndefined();
  });

  test("is given whole to a consumer who joins late, as an event and as a view", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.stream.receive(snapshot);
    stand.stream.receive(change(6, 101, 2));
    stand.events.length = 0;
    stand.stream.catchUp(stand.consumer());
    const [event] = stand.events;
    expect(event).toMatchObject({ type: "book", snapshot: true, sequence: 6, initial: true });
  });
});

// A publisher, a gateway that may lose things in every way the protocol knows, and a client.

/** What the publisher said: the book after each sequence of the epoch. */
class Publisher {
  epoch = 1;
  /** Index i is the state at sequence i. */
  states: Levels[] = [new Map()];
  readonly changes: Levels[] = [new Map()];

  get sequence(): number {
    return this.states.length - 1;
  }

  publish(price: number, size: number): void {
    const next = new Map(this.states.at(-1));
    if (size === 0) next.delete(price);
    else next.set(price, size);
    this.states.push(next);
    this.changes.push(new Map([[price, size]]));
  }

  restart(): void {
    this.epoch += 1;
    this.states = [new Map()];
    this.changes.length = 1;
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom("deliver" as const, "drop" as const, "announce" as const),
    changes: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({
    kind: fc.constantFrom("disconnect" as const, "start" as const, "restart" as const),
  }),
  fc.record({ kind: fc.constant("again" as const), back: fc.nat(6) }),
);

/** The gateway between the two: what it sends, by the rules of the protocol. */
class Line {
  readonly stand = new Stand("book");
  readonly publisher = new Publisher();
  #isServed = false;

  serve(): void {
    const { stand, publisher } = this;
    if (this.#isServed && stand.stream.stage === "live") return;
    const resume = stand.stream.resumePosition;
    const { epoch, sequence } = publisher;
    this.#isServed = true;
    if (resume?.epoch === epoch) {
      stand.start("resumed", { epoch, sequence });
      this.deliver(resume.sequence + 1, sequence);
      return;
    }
    stand.start(resume === undefined ? "new" : "replaced", { epoch, sequence });
    this.rebase();
  }

  /** The state now, as a snapshot. */
  rebase(): void {
    const { epoch, sequence, states } = this.publisher;
    const rows = [bookRow(states[sequence]!, true)];
    this.stand.stream.receive(books({ epoch, firstSequence: sequence, snapshot: true }, rows));
  }

  deliver(from: number, to: number): void {
    if (!this.#isServed || from > to || from < 1) return;
    const rows = this.publisher.changes.slice(from, to + 1).map((bids) => bookRow(bids));
    const { epoch } = this.publisher;
    this.stand.stream.receive(books({ epoch, firstSequence: from }, rows));
  }

  run(given: typeof step extends fc.Arbitrary<infer Value> ? Value : never): void {
    const { publisher, stand } = this;
    switch (given.kind) {
      case "deliver":
      case "drop":
      case "announce": {
        const from = publisher.sequence + 1;
        for (const [price, size] of given.changes) publisher.publish(price, size);
        if (given.kind === "deliver") this.deliver(from, publisher.sequence);
        if (given.kind === "announce" && this.#isServed) {
          stand.stream.announceMissing(from, publisher.sequence);
          this.rebase();
        }
        return;
      }
      case "again":
        this.deliver(Math.max(1, publisher.sequence - given.back), publisher.sequence);
        return;
      case "disconnect":
        this.#isServed = false;
        stand.stream.disconnect();
        return;
      case "restart":
        publisher.restart();
        return;
      case "start":
        this.serve();
    }
  }

  /** Bids as they are shown and as they are; both empty while nothing is shown. */
  compare(): { readonly shown: unknown; readonly actual: unknown } {
    const { view } = this.stand;
    if (view?.state !== "live" || view.epoch !== this.publisher.epoch) {
      return { shown: [], actual: [] };
    }
    const state = this.publisher.states[view.sequence];
    return {
      shown: view.bids.map(({ price, size }) => [price, size]),
      actual: [...(state ?? [])].sort(([a], [b]) => b - a),
    };
  }
}

test("a book that is shown is the publisher's, whatever is lost, repeated or begun anew", () => {
  let shown = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const line = new Line();
      for (const given of steps) {
        line.run(given);
        const { shown: bids, actual } = line.compare();
        expect(bids).toEqual(actual);
        if (line.stand.view?.state === "live") shown += 1;
      }
      // And it always comes back.
      line.run({ kind: "disconnect" });
      line.serve();
      expect(line.stand.stream.stage).toBe("live");
      expect(line.stand.view?.sequence).toBe(line.publisher.sequence);
      const { shown: bids, actual } = line.compare();
      expect(bids).toEqual(actual);
    }),
    { numRuns: 500 },
  );
  expect(shown).toBeGreaterThan(500);
});

test("of trades, each is delivered once or reported as missing", () => {
  const chance = fc.record({ count: fc.integer({ min: 1, max: 5 }), fate: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(chance, { maxLength: 30 }), (batches) => {
      const stand = new Stand("trades");
      stand.start("new", { epoch: 1, sequence: 0 });
      let published = 0;
      let resyncs = 0;
      for (const { count, fate } of batches) {
        const firstSequence = published + 1;
        published += count;
        if (fate === 0) continue; // Lost on the way, without a word.
        if (fate === 1) stand.stream.announceMissing(firstSequence, published);
        else if (fate === 2 && firstSequence > 2) {
          // Some of it came before.
          stand.stream.receive(trades({ firstSequence: firstSequence - 2 }, count + 2));
        } else stand.stream.receive(trades({ firstSequence }, count));
        if (stand.resyncs === resyncs) continue;
        // The gateway is asked again, and has everything.
        resyncs = stand.resyncs;
        stand.stream.topicId = 0;
        const from = stand.stream.resumePosition!.sequence + 1;
        stand.start("resumed");
        stand.stream.receive(trades({ firstSequence: from }, published - from + 1));
      }
      const accounted = new Map<number, number>();
      const count = (sequence: number) =>
        accounted.set(sequence, (accounted.get(sequence) ?? 0) + 1);
      stand.sequences().forEach(count);
      expect([...accounted.values()].every((times) => times === 1)).toBe(true);
      for (const { missingFirst, missingLast } of stand.gaps()) {
        for (let sequence = missingFirst; sequence <= missingLast!; sequence++) count(sequence);
      }
      const last = stand.stream.resumePosition!.sequence;
      for (let sequence = 1; sequence <= last; sequence++)
        expect(accounted.has(sequence)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
