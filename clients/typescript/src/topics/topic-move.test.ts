import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bookRow, books, bookState, TopicStand, trades } from "../../test/topic-stand.ts";
import { HELD_BATCHES_MAX } from "./topic-move.ts";

// Two gateways follow one publisher, each at its own pace, and a topic moves from one to the other.

/** A topic that has come to 4 on its first connection, and is asked for on a second one. */
function moving(channel: "trades" | "book" = "trades", isRaw = true): TopicStand {
  const stand = new TopicStand(channel);
  stand.start("new", { epoch: 1, sequence: channel === "book" ? 4 : 0 });
  if (channel === "book") stand.receive(bookState(4, new Map([[1, 1]])));
  else stand.receive(trades({ firstSequence: 1 }, 4));
  stand.stream.leave();
  stand.stream.ask(isRaw);
  return stand;
}

const resumed = { continuity: "resumed", reason: "moved", outcome: "preserved" };

describe("a topic that moves", () => {
  test("with nothing new in between is moved by the answer", () => {
    const stand = moving();
    stand.start("resumed");
    expect([stand.moved, stand.notices.at(-1)]).toMatchObject([1, resumed]);
    stand.receive(trades({ firstSequence: 5 }));
    stand.receiveOld(trades({ firstSequence: 5 }));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5]);
  });

  test("is brought by the old connection until the new one has come as far", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }, 3));
    stand.start("resumed");
    stand.receive(trades({ firstSequence: 5 }, 2));
    expect(stand.moved).toBe(0);
    stand.receiveOld(trades({ firstSequence: 8 }));
    stand.receive(trades({ firstSequence: 7 }, 3));
    expect(stand.moved).toBe(1);
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([stand.gaps(), stand.resyncs]).toEqual([[], 0]);
  });

  test("is moved by a batch that ends exactly where it is", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }));
    stand.start("resumed");
    stand.receive(trades({ firstSequence: 5 }));
    expect([stand.moved, stand.sequences().length]).toEqual([1, 5]);
  });

  test("stays where it is as long as the new gateway has a hole, of which nobody is told", () => {
    const stand = moving();
    stand.start("resumed");
    const again = moving();
    again.receiveOld(trades({ firstSequence: 5 }));
    again.start("resumed");
    again.stream.announceMissing(5, 7);
    again.receive(trades({ firstSequence: 8 }));
    expect([again.moved, again.gaps()]).toEqual([0, []]);
    again.receiveOld(trades({ firstSequence: 6 }, 3));
    expect(again.moved).toBe(1);
    again.receive(trades({ firstSequence: 9 }));
    expect(again.sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([again.gaps(), again.resyncs]).toEqual([[], 0]);
  });

  test("is asked for again when the old connection ends before the hole is filled", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }));
    stand.start("resumed");
    stand.stream.announceMissing(6, 7);
    stand.receive(trades({ firstSequence: 8 }));
    stand.stream.oldEnded();
    expect([stand.resyncs, stand.stream.resumePosition?.sequence]).toEqual([1, 5]);
    stand.start("resumed");
    stand.stream.announceMissing(6, 7);
    stand.receive(trades({ firstSequence: 8 }, 2));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5, 8, 9]);
    expect(stand.gaps()).toMatchObject([{ missingFirst: 6, missingLast: 7 }]);
  });

  test("goes on from a new gateway that cannot resume once the old one has come as far", () => {
    const stand = moving();
    stand.start("replaced", { epoch: 1, sequence: 6 });
    stand.receive(trades({ firstSequence: 7 }));
    stand.receiveOld(trades({ firstSequence: 5 }, 3));
    expect([stand.moved, stand.gaps()]).toEqual([1, []]);
    stand.receive(trades({ firstSequence: 8 }));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("of which the old connection ends before the answer resumes as after any loss", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }));
    stand.stream.oldEnded();
    stand.start("resumed");
    stand.receive(trades({ firstSequence: 5 }, 2));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stand.moved).toBe(1);
  });

  test("whose old connection brings damage is the new one's from then on", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }).subarray(0, -1));
    stand.start("resumed");
    stand.receive(trades({ firstSequence: 5 }));
    expect([stand.moved, stand.sequences()]).toEqual([1, [1, 2, 3, 4, 5]]);
  });

  test("whose new connection brings damage stays, and is asked for again at the end", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }));
    stand.start("resumed");
    stand.receive(trades({ firstSequence: 5 }).subarray(0, -1), trades({ firstSequence: 6 }));
    expect([stand.moved, stand.sequences().length]).toEqual([0, 5]);
    stand.stream.oldEnded();
    expect([stand.moved, stand.resyncs]).toEqual([1, 1]);
  });

  test("follows the old connection into another epoch, where the new one already is", () => {
    const stand = moving();
    stand.receiveOld(trades({ firstSequence: 5 }));
    stand.start("resumed");
    stand.stream.changeEpoch({ epoch: 2, sequence: 0 }, { missingLast: 0, continues: false });
    stand.receive(trades({ firstSequence: 1, epoch: 2 }));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5]);
    stand.stream.changeEpoch(
      { epoch: 2, sequence: 0 },
      { missingLast: 0, continues: false, isOld: true },
    );
    stand.receiveOld(trades({ firstSequence: 1, epoch: 2 }));
    expect(stand.moved).toBe(1);
    stand.receive(trades({ firstSequence: 2, epoch: 2 }));
    expect(stand.sequences()).toEqual([1, 2, 3, 4, 5, 1, 2]);
    expect(stand.gaps()).toEqual([]);
  });

  test("has nothing to go on from is started by the new gateway alone", () => {
    const stand = new TopicStand("book");
    stand.start("new", { epoch: 1, sequence: 4 });
    stand.stream.leave();
    expect(stand.stream.ask(true)).toBeUndefined();
    stand.receiveOld(bookState(4, new Map([[1, 1]])));
    stand.start("new", { epoch: 1, sequence: 6 });
    stand.receive(bookState(6, new Map([[2, 2]])));
    expect(stand.view?.bids.map(({ price }) => price)).toEqual([2]);
    expect(stand.states.at(-1)).toBe("live");
  });
});

describe("a view that moves", () => {
  const bids = (price: number, size: number) => bookRow(new Map([[price, size]]));

  test("waits for the answer, and what came meanwhile comes from the new gateway", () => {
    const stand = moving("book", false);
    stand.receiveOld(books({ firstSequence: 6, skipped: 1 }, [bids(2, 2)]));
    expect(stand.sequences()).toEqual([4]);
    stand.start("resumed");
    expect(stand.moved).toBe(1);
    stand.receive(books({ firstSequence: 7, skipped: 2 }, [bids(2, 3)]));
    expect(stand.sequences()).toEqual([4, 7]);
  });

  test("that is refused goes on with what has waited, in order", () => {
    const stand = moving("book", false);
    stand.receiveOld(books({ firstSequence: 6, skipped: 1 }, [bids(2, 2)]));
    stand.stream.catchUpWithOld();
    stand.receiveOld(books({ firstSequence: 7 }, [bids(2, 3)]));
    expect(stand.sequences()).toEqual([4, 6, 7]);
  });

  test.each([
    [HELD_BATCHES_MAX - 1, 0],
    [HELD_BATCHES_MAX, 0],
    [HELD_BATCHES_MAX + 1, HELD_BATCHES_MAX + 1],
  ])("of whose %i waiting batches %i are given out", (count, given) => {
    const stand = moving("book", false);
    for (let index = 0; index < count; index += 1) {
      stand.receiveOld(books({ firstSequence: 5 + index }, [bids(2, index + 1)]));
    }
    expect(stand.sequences().length - 1).toBe(given);
  });

  test("never takes a net change that was made for another state", () => {
    const stand = moving("book", false);
    stand.receiveOld(books({ firstSequence: 6, skipped: 1 }, [bids(2, 2)]));
    stand.stream.oldEnded();
    expect(stand.sequences()).toEqual([4, 6]);
    stand.start("resumed");
    stand.receive(books({ firstSequence: 8, skipped: 3 }, [bids(3, 3)]));
    expect([stand.sequences(), stand.resyncs]).toEqual([[4, 6], 1]);
    expect(stand.stream.resumePosition?.sequence).toBe(6);
  });
});

/** One gateway of the model: what it still has to send, cut into batches as it likes. */
class ModelGateway {
  sent: number;

  constructor(sent: number) {
    this.sent = sent;
  }

  /** The next batch of at most `count` events, or of all as one net change. */
  next(kind: Kind, published: number, count: number): Uint8Array | undefined {
    const first = this.sent + 1;
    const last = Math.min(published, this.sent + count);
    if (last < first) return undefined;
    const base = this.sent;
    this.sent = last;
    if (kind === "trades") return trades({ firstSequence: first }, last - first + 1);
    if (kind === "book") {
      const rows = Array.from({ length: last - base }, (_, index) =>
        changeOf(base + index, base + index + 1),
      );
      return books({ firstSequence: first }, rows);
    }
    return books({ firstSequence: last, skipped: last - base - 1 }, [changeOf(base, last)]);
  }
}

type Kind = "trades" | "book" | "view";

/** The book at a sequence: levels come, change, go and come back as they were. */
function stateAt(sequence: number): Map<number, number> {
  const state = new Map([[100, 1]]);
  for (let price = 1; price <= 5; price += 1) {
    const size = Math.floor(sequence / price) % 4;
    if (size > 0) state.set(price, size);
  }
  return state;
}

/** The net change from one sequence to another. */
function changeOf(from: number, to: number) {
  const [before, after] = [stateAt(from), stateAt(to)];
  const changed = new Map<number, number>();
  for (const price of new Set([...before.keys(), ...after.keys()])) {
    const size = after.get(price) ?? 0;
    if (before.get(price) !== size) changed.set(price, size);
  }
  return bookRow(changed);
}

const actionArbitrary = fc.oneof(
  fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("old" as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("new" as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ kind: "answer" as const, count: 0 }),
  fc.constant({ kind: "end" as const, count: 0 }),
  fc.constant({ kind: "move" as const, count: 0 }),
);

/** A life of one topic: it moves from gateway to gateway, at whatever moments. */
class Life {
  readonly stand: TopicStand;
  readonly kind: Kind;
  published = 0;
  old: ModelGateway | undefined;
  current: ModelGateway | undefined = new ModelGateway(0);
  asked = 0;

  constructor(kind: Kind) {
    this.kind = kind;
    this.stand = new TopicStand(kind === "trades" ? "trades" : "book");
    this.stand.start("new", { epoch: 1, sequence: 0 });
    if (kind !== "trades") this.stand.receive(bookState(0, stateAt(0)));
  }

  act({ kind, count }: { kind: string; count: number }): void {
    const { stand } = this;
    const resyncs = stand.resyncs;
    if (kind === "publish") this.published += count;
    if (kind === "old") stand.receiveOld(...this.#batch(this.old, count));
    if (kind === "new") stand.receive(...this.#batch(this.current, count));
    if (kind === "end" && this.old !== undefined) {
      this.old = undefined;
      stand.stream.oldEnded();
    }
    if (kind === "answer" && this.current === undefined) {
      this.current = new ModelGateway(this.asked);
      stand.start("resumed");
    }
    if (kind === "move" && this.old === undefined && this.current !== undefined) {
      this.old = this.current;
      stand.stream.leave();
      this.#ask();
    }
    // What is asked for again is answered later.
    if (stand.resyncs > resyncs) {
      stand.stream.topicId = 0;
      this.#ask();
    }
  }

  /** Until everything has come: nothing may be left that nobody brings. */
  finish(): void {
    for (let round = 0; round < 6; round += 1) {
      for (const kind of ["old", "end", "answer", "new"]) this.act({ kind, count: 1_000 });
    }
  }

  /** What came: every sequence, or of a view its rising order; where it stands; the book. */
  get outcome() {
    const { kind, stand } = this;
    const sequences = stand.sequences().filter((sequence) => sequence > 0);
    const isRising = sequences.every((sequence, at) => sequence > (sequences[at - 1] ?? 0));
    const bids = stand.view?.bids.map(({ price, size }) => [price, size] as const) ?? [];
    return {
      sequences: kind === "view" ? isRising : sequences,
      position: stand.stream.resumePosition?.sequence,
      book: new Map(bids),
    };
  }

  get expected() {
    const { kind, published } = this;
    const every = Array.from({ length: published }, (_, index) => index + 1);
    return {
      sequences: kind === "view" ? true : every,
      position: published,
      book: kind === "trades" ? new Map<number, number>() : stateAt(published),
    };
  }

  #ask(): void {
    this.current = undefined;
    this.asked = this.stand.stream.ask(this.kind !== "view")?.sequence ?? -1;
  }

  #batch(gateway: ModelGateway | undefined, count: number): Uint8Array[] {
    const batch = gateway?.next(this.kind, this.published, count);
    return batch === undefined ? [] : [batch];
  }
}

describe.each(["trades", "book", "view"] as const)("%s that move at any moment", (kind) => {
  test("come once each and in order, and end as they were published", () => {
    fc.assert(
      fc.property(fc.array(actionArbitrary, { maxLength: 40 }), (actions) => {
        const life = new Life(kind);
        for (const action of actions) life.act(action);
        life.finish();
        expect(life.stand.gaps()).toEqual([]);
        expect(life.outcome).toEqual(life.expected);
      }),
      { numRuns: 500 },
    );
  });
});
