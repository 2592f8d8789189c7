import { describe, expect, test } from "vitest";
import { bookFrame, quoteFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";

const BACKOFF = {
  snapshotBackoffBaseMs: 1_000,
  snapshotBackoffMsMax: 4_000,
  inBandSnapshotTimeoutMs: 10_000,
};

function start(options: Partial<FakeSessionOptions> = {}) {
  const started = startFakeSession({
    topics: ["A/book", "B/book"],
    snapshot: "request",
    policy: BACKOFF,
    ...options,
  });
  started.dialer.last.open();
  return started;
}

const delta = (symbol: string, id: number, size = 1): string =>
  bookFrame(symbol, { first: id, last: id, size });
const answer = (symbol: string, last: number): string =>
  bookFrame(symbol, { last, snapshot: true, source: "rest" });
/** Without the number of the request. */
const asked = (sent: readonly string[]): string[] =>
  sent.filter((frame) => frame.startsWith("snapshot")).map((frame) => frame.slice(0, 10));

describe("a snapshot that is asked for on the connection", () => {
  test("is asked for with the first delta, once however many follow, with a number of its own", () => {
    const { dialer, rest, counters } = start();
    expect(dialer.last.sent).toEqual(["subscribe A/book", "subscribe B/book"]);
    dialer.last.receive(delta("A", 10), delta("A", 11), delta("B", 5));
    expect(dialer.last.sent.slice(2)).toEqual(["snapshot A 3", "snapshot B 4"]);
    expect(rest.urls).toEqual([]);
    expect(counters).toMatchObject({ snapshotsRequested: 2, resubscribes: 0 });
  });

  test("starts the book together with what came behind it", () => {
    const { dialer, statuses, ofKind, counters } = start({ topics: ["A/book"] });
    dialer.last.receive(delta("A", 10, 2), delta("A", 11, 3), answer("A", 10), delta("A", 12, 4));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 3, 4]);
    expect(counters).toMatchObject({ gaps: 0, snapshotsDelivered: 1 });
  });

  test("that is older than the first delta is asked for again, not at once", () => {
    const { dialer, clock, statuses } = start({ topics: ["A/book"], random: 0 });
    dialer.last.receive(delta("A", 10), answer("A", 5));
    expect(asked(dialer.last.sent)).toHaveLength(1);
    clock.advance(499);
    expect(asked(dialer.last.sent)).toHaveLength(1);
    clock.advance(1);
    expect(asked(dialer.last.sent)).toHaveLength(2);
    dialer.last.receive(answer("A", 10));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test("that does not come is asked for again after the time allowed, and a wait", () => {
    const { dialer, clock } = start({ topics: ["A/book"] });
    dialer.last.receive(delta("A", 10));
    clock.advance(10_000 + 499);
    expect(asked(dialer.last.sent)).toHaveLength(1);
    clock.advance(1);
    expect(asked(dialer.last.sent)).toHaveLength(2);
  });

  test("of a book that breaks again and again is asked for after longer waits", () => {
    const { dialer, clock } = start({ topics: ["A/book"] });
    dialer.last.receive(delta("A", 10), answer("A", 10));
    const waitsMs: number[] = [];
    for (let id = 20; id < 60; id += 10) {
      const before = asked(dialer.last.sent).length;
      const startUs = clock.nowUs();
      dialer.last.receive(delta("A", id));
      while (asked(dialer.last.sent).length === before) clock.advance(100);
      waitsMs.push((clock.nowUs() - startUs) / 1000);
      dialer.last.receive(answer("A", id));
    }
    expect(waitsMs).toEqual([500, 1_000, 2_000, 2_000]);
  });

  test("keeps to the venue's pace of frames", () => {
    const { dialer, clock } = start({ limits: { outgoingFrames: { count: 2, intervalMs: 1000 } } });
    dialer.last.receive(delta("A", 1), delta("B", 1));
    expect(asked(dialer.last.sent)).toEqual([]);
    clock.advance(1_000);
    expect(asked(dialer.last.sent)).toEqual(["snapshot A", "snapshot B"]);
  });

  test("is asked for anew on the next connection", () => {
    const { dialer, clock, statuses } = start({ topics: ["A/book"] });
    dialer.last.receive(delta("A", 10));
    dialer.last.drop();
    clock.advance(1_000);
    dialer.last.open().receive(delta("A", 90));
    clock.advance(1_000);
    expect(asked(dialer.last.sent)).toEqual(["snapshot A"]);
    dialer.last.receive(answer("A", 90));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });
});

describe("a venue whose books start in different ways", () => {
  test("has each of them started in its own", () => {
    const { dialer, rest, statuses } = start({
      topics: ["A/book", "B/book", "C/book"],
      snapshotBySymbol: { B: "rest", C: "in-band" },
    });
    for (const symbol of ["A", "B", "C"]) dialer.last.receive(delta(symbol, 10));
    expect(asked(dialer.last.sent)).toEqual(["snapshot A"]);
    expect(rest.urls).toEqual(["fake://rest/book/B"]);
    dialer.last.receive(answer("A", 10), bookFrame("C", { snapshot: true }));
    rest.answer(200, answer("B", 10));
    for (const symbol of ["A", "B", "C"]) {
      expect(statuses()).toContain(`${symbol}/book live synchronized`);
    }
  });
});

describe("while the connection is replaced, a book with snapshots by request", () => {
  const AGE = {
    limits: { connectionAgeMsMax: 100_000 },
    policy: {
      ...BACKOFF,
      rolloverJitterMs: 10_000,
      rolloverOverlapMs: 1_000,
      rolloverTimeoutMs: 20_000,
    },
  };

  function overlapping(options: Partial<FakeSessionOptions> = {}) {
    const started = start({ ...AGE, topics: ["A/book", "A/quotes"], ...options });
    const [old] = started.dialer.sockets;
    old?.receive(delta("A", 1), answer("A", 1), delta("A", 2, 2));
    started.clock.advance(75_000);
    const fresh = started.dialer.sockets[1];
    if (old === undefined || fresh === undefined) throw new Error("not replaced");
    return { ...started, old, fresh: fresh.open() };
  }

  test("goes on without a new snapshot, each delta once", () => {
    const { old, fresh, clock, ofKind, statuses, counters } = overlapping();
    const before = statuses().length;
    fresh.receive(delta("A", 3, 3), delta("A", 4, 4));
    old.receive(delta("A", 3, 3));
    clock.advance(1_000);
    expect(old.ended).toBe("closed");
    fresh.receive(delta("A", 5, 5));
    expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 2, 3, 4, 5]);
    expect(asked(fresh.sent)).toEqual([]);
    expect(statuses()).toHaveLength(before);
    expect(counters).toMatchObject({ rollovers: 1, gaps: 0, resyncs: 0 });
  });

  test("that breaks meanwhile is started anew, and its snapshot takes no delta back", () => {
    const { old, fresh, clock, statuses, ofKind } = overlapping();
    old.receive(delta("A", 5));
    fresh.receive(quoteFrame("A"), delta("A", 5), delta("A", 6, 6));
    old.receive(answer("A", 4));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    clock.advance(1_000);
    fresh.receive(delta("A", 7, 7));
    expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 2, 1, 1, 6, 7]);
    expect(statuses().filter((text) => text.includes("/book gap"))).toHaveLength(1);
  });

  test("whose snapshot was under way on the old connection is asked for on the new one", () => {
    const { old, fresh, clock, statuses } = overlapping();
    old.receive(delta("A", 5));
    expect(asked(old.sent)).toHaveLength(2);
    fresh.receive(delta("A", 6));
    clock.advance(1_000);
    expect(old.ended).toBe("closed");
    clock.advance(20_000);
    expect(asked(fresh.sent)).not.toHaveLength(0);
    fresh.receive(answer("A", 6), delta("A", 7));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test("waits for none of its own, but for one that starts in the stream beside it", () => {
    const { old, fresh, clock } = overlapping({
      topics: ["A/book", "B/book"],
      snapshotBySymbol: { B: "in-band" },
    });
    fresh.receive(delta("A", 3));
    clock.advance(5_000);
    expect(old.ended).toBeUndefined();
    fresh.receive(bookFrame("B", { snapshot: true }));
    clock.advance(1_000);
    expect(old.ended).toBe("closed");
  });
});
