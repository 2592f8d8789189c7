import { BatchWriter } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  contentOf,
  tradeRows,
  trades,
  bookRow,
  books,
  bookState,
  History,
  TopicStand as Stand,
  type Levels,
} from "../../test/topic-stand.ts";

describe("a topic of events", () => {
  test("delivers each event once, whatever comes twice", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(trades({ firstSequence: 5 }, 3));
    stand.receive(trades({ firstSequence: 5 }, 3));
    stand.receive(trades({ firstSequence: 6 }, 4));
    expect(stand.sequences()).toEqual([5, 6, 7, 8, 9]);
    expect(stand.counters).toMatchObject({ events: 5, duplicateEvents: 5, gaps: 0 });
  });

  test("asks again for what does not follow its chain, and goes on from where it was", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    const history = new History("trades", 1);
    history.publish(tradeRows(1, 4));
    const missed = history.publish(tradeRows(5, 1));
    const next = history.publish(tradeRows(6, 1));
    stand.receive(contentOf(next, false));
    expect(stand.sequences()).toEqual([]);
    expect([stand.resyncs, stand.counters.gaps]).toEqual([1, 1]);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "resyncing", reason: "no-base" });
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 4 });
    stand.start("resumed");
    stand.receive(contentOf(missed, true), contentOf(next, false));
    expect(stand.sequences()).toEqual([5, 6]);
    expect(stand.gaps()).toEqual([]);
  });

  test("asks again where a batch in between was lost, of which it says the residue", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 0 });
    const history = new History("trades", 1);
    stand.receive(contentOf(history.publish(tradeRows(1, 2)), true));
    history.publish(tradeRows(3, 1));
    stand.receive(contentOf(history.publish(tradeRows(4, 1)), false));
    expect(stand.notices.at(-1)).toMatchObject({
      continuity: "resyncing",
      reason: "sequence-residue",
    });
    stand.start("resumed");
    stand.receive(...history.after(stand.stream.resumePosition!.sequence));
    expect(stand.sequences()).toEqual([1, 2, 3, 4]);
  });

  test("asks again for bytes that are no batch, and keeps its place", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(trades({ firstSequence: 5 }), trades({ firstSequence: 6 }).subarray(0, -1));
    expect(stand.resyncs).toBe(1);
    expect(stand.notices.at(-1)).toMatchObject({ reason: "malformed-batch" });
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 5 });
  });

  test("never goes on in the chain of an earlier subscription", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 0 });
    const history = new History("trades", 1);
    stand.receive(contentOf(history.publish(tradeRows(1, 1)), true));
    stand.start("resumed");
    stand.receive(contentOf(history.publish(tradeRows(2, 1)), false));
    expect(stand.sequences()).toEqual([1]);
    expect(stand.notices.at(-1)).toMatchObject({ reason: "no-base" });
  });

  test("reports what did not reach the gateway, once, and goes on behind it", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(trades({ firstSequence: 8 }, 2), trades({ firstSequence: 10 }));
    expect(stand.sequences()).toEqual([8, 9, 10]);
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: 7, reason: "sequence-gap" },
    ]);
    expect([stand.resyncs, stand.counters.gaps]).toEqual([0, 1]);
  });

  test("misses nothing that was conflated away, as it asked", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(trades({ firstSequence: 8, skipped: 3 }));
    expect(stand.sequences()).toEqual([8]);
    expect(stand.gaps()).toEqual([]);
  });

  test("reports what the gateway says is missing, and takes the batch after it", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.announceMissing(5, 7);
    stand.receive(trades({ firstSequence: 8 }));
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

  test.each([
    ["in the same epoch", { epoch: 1, sequence: 9 }, 9, "not-resumable"],
    ["in another epoch", { epoch: 2, sequence: 9 }, undefined, "epoch-changed"],
  ] as const)(
    "that the gateway starts as new %s, though it has a place, says what it lost",
    (_where, position, missingLast, reason) => {
      const stand = new Stand("trades");
      stand.start("new", { epoch: 1, sequence: 4 });
      stand.stream.disconnect();
      stand.start("new", position);
      expect(stand.gaps()).toEqual([{ epoch: 1, missingFirst: 5, missingLast, reason }]);
      expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", ...position });
    },
  );

  test("that the gateway starts as new where it stands lost nothing", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.disconnect();
    stand.start("new", { epoch: 1, sequence: 4 });
    expect(stand.gaps()).toEqual([]);
  });

  test("says that the extent of a loss is unknown where the publisher began anew", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(trades({ epoch: 2, firstSequence: 1 }));
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: undefined, reason: "epoch-changed" },
    ]);
    expect(stand.events).toHaveLength(1);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", reason: "epoch-changed" });
  });

  test.each([
    ["says what is missing of the old one", 9, [{ missingFirst: 5, missingLast: 9 }]],
    ["of which nothing is missing says no gap", 4, []],
    ["of which nothing is known to be missing says no gap", 0, []],
  ])("that the gateway takes to another epoch and %s", (_, missingLast, gaps) => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 8, sequence: 4 });
    stand.stream.changeEpoch({ epoch: 2, sequence: 0 }, { missingLast, continues: false });
    stand.receive(trades({ epoch: 2, firstSequence: 1 }));
    const reason = "epoch-changed" as const;
    expect(stand.gaps()).toEqual(gaps.map((gap) => ({ epoch: 8, ...gap, reason })));
    expect(stand.sequences()).toEqual([1]);
    const notices = stand.notices.filter(({ type }) => type === "continuity");
    expect(notices.at(-1)).toMatchObject({ continuity: "replaced", reason, epoch: 2, sequence: 0 });
    expect(notices).toHaveLength(2);
  });

  test("that goes on where it was says so, and keeps what it has", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 8, sequence: 4 });
    stand.stream.changeEpoch({ epoch: 2, sequence: 4 }, { missingLast: 0, continues: true });
    stand.receive(trades({ epoch: 2, firstSequence: 5 }));
    expect(stand.gaps()).toEqual([]);
    expect(stand.sequences()).toEqual([5]);
    const last = stand.notices.at(-1);
    expect(last).toMatchObject({ continuity: "resumed", reason: "publisher-changed", epoch: 2 });
  });

  test("that goes on from where it is not has lost what is between", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 8, sequence: 4 });
    stand.stream.changeEpoch({ epoch: 2, sequence: 6 }, { missingLast: 6, continues: true });
    expect(stand.gaps()).toEqual([
      { epoch: 8, missingFirst: 5, missingLast: 6, reason: "epoch-changed" },
    ]);
  });

  test("that is in another epoch says a gap there by the numbers of it", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 8, sequence: 4 });
    stand.stream.announceMissing(5, 7);
    stand.stream.changeEpoch({ epoch: 2, sequence: 0 }, { missingLast: 9, continues: false });
    stand.stream.announceMissing(1, 3);
    stand.receive(trades({ epoch: 2, firstSequence: 4 }));
    expect(stand.gaps()).toEqual([
      { epoch: 8, missingFirst: 5, missingLast: 7, reason: "server-dropped" },
      { epoch: 8, missingFirst: 8, missingLast: 9, reason: "epoch-changed" },
      { epoch: 2, missingFirst: 1, missingLast: 3, reason: "server-dropped" },
    ]);
    expect(stand.sequences()).toEqual([4]);
  });

  test.each([
    [{ epoch: 8, sequence: 9 }, [{ missingFirst: 5, missingLast: 9 }]],
    [{ epoch: 8, sequence: 4 }, []],
    [{ epoch: 7, sequence: 9 }, [{ missingFirst: 5, missingLast: undefined }]],
    [undefined, [{ missingFirst: 5, missingLast: undefined }]],
  ])("resumed after its epoch ended at %j says the gaps %j", (ended, gaps) => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 8, sequence: 4 });
    stand.stream.disconnect();
    stand.start("replaced", { epoch: 2, sequence: 3 }, ended);
    const reason = "epoch-changed" as const;
    expect(stand.gaps()).toEqual(gaps.map((gap) => ({ epoch: 8, ...gap, reason })));
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", epoch: 2, sequence: 3 });
  });

  test("hands on nothing while there is no connection", () => {
    const stand = new Stand("trades");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.disconnect();
    stand.receive(trades({ firstSequence: 5 }));
    expect(stand.events).toEqual([]);
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 4 });
  });
});

describe("a topic of states", () => {
  test("says which of them a resume could not bring, though the latest stands for them", () => {
    const stand = new Stand("quotes");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.disconnect();
    stand.start("replaced", { epoch: 1, sequence: 9 });
    stand.stream.announceMissing(5, 9);
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: 9, reason: "not-resumable" },
    ]);
  });
});

/** A quote as the state at a sequence. */
function quoteState(sequence: number, epoch = 1): Uint8Array {
  const row = { venueTimeUs: 1, receivedTimeUs: 2, priceScale: 0, sizeScale: 0 };
  const sides = {
    bidPriceMantissa: 1,
    bidSizeMantissa: 1,
    askPriceMantissa: 2,
    askSizeMantissa: 1,
  };
  const rows = { kind: "quotes", rows: [{ ...row, ...sides }] } as const;
  const chain = { kind: "quotes", epoch, sequence } as const;
  return contentOf(BatchWriter.snapshot(chain, rows, { publishedTimeUs: 3 })[0]!, true);
}

describe("a state in the midst of a topic", () => {
  test("says which events it stands for, once, whoever says it first", () => {
    const stand = new Stand("quotes");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(quoteState(4));
    expect(stand.gaps()).toEqual([]);
    stand.stream.announceMissing(5, 6);
    stand.receive(quoteState(9));
    stand.stream.announceMissing(7, 9);
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: 6, reason: "server-dropped" },
      { epoch: 1, missingFirst: 7, missingLast: 9, reason: "sequence-gap" },
    ]);
  });

  test("of a publisher that began anew says that nobody knows what is missing", () => {
    const stand = new Stand("quotes");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.receive(quoteState(2, 2));
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 5, missingLast: undefined, reason: "epoch-changed" },
    ]);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", epoch: 2, sequence: 2 });
  });
});

describe("a book", () => {
  const snapshot = bookState(5, new Map([[100, 1]]));
  const change = (firstSequence: number, price: number, size: number) =>
    books({ firstSequence }, [bookRow(new Map([[price, size]]))]);

  test("is shown when its snapshot came, and after each batch", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    expect(stand.states).toEqual([]);
    stand.receive(snapshot);
    stand.receive(change(6, 101, 2));
    expect(stand.states).toEqual(["live", "live"]);
    expect(stand.view?.bids.map(({ priceText, sizeText }) => [priceText, sizeText])).toEqual([
      ["101", "2"],
      ["100", "1"],
    ]);
    expect(stand.view?.sequence).toBe(6);
  });

  test("without a snapshot takes no change and asks again", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(change(6, 101, 2));
    expect(stand.resyncs).toBe(1);
    expect(stand.states).toEqual(["resyncing"]);
    expect(stand.view?.bids).toEqual([]);
    expect(stand.stream.resumePosition).toBeUndefined();
  });

  test("that lost the connection is resumed where it was, and shown again as it was", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(snapshot);
    stand.stream.disconnect();
    expect(stand.view?.bids).toEqual([]);
    expect(stand.stream.resumePosition).toEqual({ epoch: 1, sequence: 5 });
    stand.start("resumed");
    expect(stand.states).toEqual(["live", "disconnected", "live"]);
    expect(stand.view?.bids).toHaveLength(1);
  });

  test("whose connection broke before its snapshot came says what it did not get meanwhile", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.stream.disconnect();
    expect(stand.stream.resumePosition).toBeUndefined();
    stand.start("new", { epoch: 1, sequence: 9 });
    expect(stand.gaps()).toEqual([
      { epoch: 1, missingFirst: 6, missingLast: 9, reason: "not-resumable" },
    ]);
    expect(stand.notices.at(-1)).toMatchObject({ continuity: "replaced", sequence: 9 });
  });

  test("that starts anew after changes were dropped says what came since, and no change twice", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(snapshot);
    stand.stream.announceMissing(6, 8);
    stand.stream.disconnect();
    stand.start("new", { epoch: 1, sequence: 9 });
    expect(
      stand.gaps().map(({ missingFirst, missingLast }) => [missingFirst, missingLast]),
    ).toEqual([
      [6, 8],
      [9, 9],
    ]);
  });

  test("of which changes were dropped is worth nothing until a snapshot comes", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(snapshot);
    stand.stream.announceMissing(6, 8);
    expect(stand.states).toEqual(["live", "resyncing"]);
    expect(stand.stream.resumePosition).toBeUndefined();
  });

  test("of which changes never reached the gateway is asked for anew", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(snapshot, change(8, 101, 2));
    expect([stand.resyncs, stand.counters.gaps]).toEqual([1, 1]);
    expect(stand.view?.bids).toEqual([]);
    expect(stand.stream.resumePosition).toBeUndefined();
    expect(stand.gaps()).toMatchObject([{ missingFirst: 6, missingLast: 7 }]);
  });

  test("is given whole to a consumer who joins late, as an event and as a view", () => {
    const stand = new Stand("book");
    stand.start("new", { epoch: 1, sequence: 5 });
    stand.receive(snapshot);
    stand.receive(change(6, 101, 2));
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
  history = new History("books", 1);

  get sequence(): number {
    return this.states.length - 1;
  }

  publish(changes: readonly (readonly [number, number])[]): BusBatch {
    for (const [price, size] of changes) {
      const next = new Map(this.states.at(-1));
      if (size === 0) next.delete(price);
      else next.set(price, size);
      this.states.push(next);
    }
    const rows = changes.map((change) => bookRow(new Map([change])));
    return this.history.publish({ kind: "books", rows });
  }

  restart(): void {
    this.epoch += 1;
    this.states = [new Map()];
    this.history = new History("books", this.epoch);
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      "deliver" as const,
      "drop" as const,
      "announce" as const,
      "lose" as const,
    ),
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
  #needsBase = true;

  serve(): void {
    const { stand, publisher } = this;
    if (this.#isServed && stand.stream.stage === "live") return;
    const resume = stand.stream.resumePosition;
    const { epoch, sequence } = publisher;
    this.#isServed = true;
    this.#needsBase = true;
    if (resume?.epoch === epoch) {
      stand.start("resumed", { epoch, sequence });
      this.repeat(resume.sequence);
      return;
    }
    stand.start(resume === undefined ? "new" : "replaced", { epoch, sequence });
    this.rebase();
  }

  /** The state now, as a snapshot. */
  rebase(): void {
    const { epoch, sequence, states } = this.publisher;
    this.stand.receive(bookState(sequence, states[sequence]!, epoch));
    this.#needsBase = true;
  }

  /** Everything after a sequence, once more. */
  repeat(sequence: number): void {
    const batches = this.publisher.history.after(sequence);
    if (!this.#isServed || batches.length === 0) return;
    this.stand.receive(...batches);
    this.#needsBase = false;
  }

  deliver(batch: BusBatch): void {
    if (!this.#isServed) return;
    this.stand.receive(contentOf(batch, this.#needsBase));
    this.#needsBase = false;
  }

  run(given: typeof step extends fc.Arbitrary<infer Value> ? Value : never): void {
    const { publisher, stand } = this;
    switch (given.kind) {
      case "deliver":
        this.deliver(publisher.publish(given.changes));
        return;
      case "drop":
        publisher.publish(given.changes);
        return;
      case "lose":
        // It never came to the gateway, which starts the chain anew for everyone.
        publisher.publish(given.changes);
        this.#needsBase = true;
        return;
      case "announce": {
        const from = publisher.sequence + 1;
        publisher.publish(given.changes);
        if (!this.#isServed) return;
        stand.stream.announceMissing(from, publisher.sequence);
        this.rebase();
        return;
      }
      case "again":
        this.repeat(Math.max(0, publisher.sequence - given.back));
        return;
      case "disconnect":
        this.#isServed = false;
        stand.stream.disconnect();
        return;
      case "restart":
        publisher.restart();
        this.#needsBase = true;
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
  const chance = fc.record({ count: fc.integer({ min: 1, max: 5 }), fate: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(chance, { maxLength: 30 }), (batches) => {
      const stand = new Stand("trades");
      stand.start("new", { epoch: 1, sequence: 0 });
      const history = new History("trades", 1);
      let published = 0;
      let resyncs = 0;
      let needsBase = true;
      for (const { count, fate } of batches) {
        const firstSequence = published + 1;
        published += count;
        const batch = history.publish(tradeRows(firstSequence, count));
        if (fate === 0) continue; // Lost on the way, without a word.
        if (fate === 1) {
          stand.stream.announceMissing(firstSequence, published);
          needsBase = true;
        } else if (fate === 2) {
          needsBase = true; // It never came to the gateway.
        } else {
          // Some of it came before.
          if (fate === 3) stand.receive(...history.after(firstSequence - 3));
          else stand.receive(contentOf(batch, needsBase));
          needsBase = false;
        }
        if (stand.resyncs === resyncs) continue;
        // The gateway is asked again, and has everything.
        resyncs = stand.resyncs;
        stand.stream.topicId = 0;
        const { sequence } = stand.stream.resumePosition!;
        stand.start("resumed");
        stand.receive(...history.after(sequence));
        needsBase = false;
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

test("a batch of another channel than the topic's is asked for again, not shown", () => {
  const stand = new Stand("quotes");
  stand.start("new", undefined);
  stand.receive(trades({ firstSequence: 1 }));
  expect(stand.events).toEqual([]);
  expect(stand.resyncs).toBe(1);
});
