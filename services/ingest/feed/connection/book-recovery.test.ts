import { describe, expect, test } from "vitest";
import { bookFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";

const BACKOFF = { snapshotBackoffBaseMs: 1_000, snapshotBackoffMsMax: 4_000 };

function start(options: Partial<FakeSessionOptions> = {}) {
  const started = startFakeSession({ topics: ["A/book", "B/book"], policy: BACKOFF, ...options });
  started.dialer.last.open();
  return started;
}

function snapshot(symbol: string, last: number): string {
  return bookFrame(symbol, { last, snapshot: true, source: "rest" });
}

/** Brings both books into sync at update 10. */
function synchronized(options: Partial<FakeSessionOptions> = {}) {
  const started = start(options);
  for (const symbol of ["A", "B"]) {
    started.dialer.last.receive(bookFrame(symbol, { first: 10, last: 10 }));
    started.rest.answer(200, snapshot(symbol, 10));
    started.dialer.last.receive(bookFrame(symbol, { first: 11, last: 11 }));
  }
  return started;
}

describe("a snapshot by REST", () => {
  test("is asked for with the first delta, once however many follow", () => {
    const { dialer, rest } = start();
    expect(rest.urls).toEqual([]);
    dialer.last.receive(
      bookFrame("A", { first: 10, last: 11 }),
      bookFrame("A", { first: 12, last: 12 }),
    );
    expect(rest.urls).toEqual(["fake://rest/book/A"]);
  });

  test("that is older than the first delta is asked for again, not at once", () => {
    const { dialer, rest, clock, statuses } = start();
    dialer.last.receive(bookFrame("A", { first: 10, last: 11 }));
    rest.answer(200, snapshot("A", 5));
    expect(rest.waiting).toHaveLength(0);
    clock.advance(500);
    rest.answer(200, snapshot("A", 11));
    dialer.last.receive(bookFrame("A", { first: 12, last: 12 }));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test("stays within the venue's budget over all instruments", () => {
    const { dialer, rest, clock } = start({
      limits: { restWeight: { count: 15, intervalMs: 60_000 } },
    });
    dialer.last.receive(
      bookFrame("A", { first: 1, last: 1 }),
      bookFrame("B", { first: 1, last: 1 }),
    );
    expect(rest.urls).toHaveLength(1);
    clock.advance(59_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test("a 429 pauses all of the venue's REST for as long as it says", () => {
    const { dialer, rest, clock, counters } = start();
    dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
    rest.answer(429, "", 20_000);
    dialer.last.receive(bookFrame("B", { first: 1, last: 1 }));
    clock.advance(19_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls.slice(1).toSorted()).toEqual(["fake://rest/book/A", "fake://rest/book/B"]);
    expect(counters).toMatchObject({ rateLimited: 1, banned: 0 });
  });

  test.each([
    { wishMs: 59_999, pauseMs: 59_999 },
    { wishMs: 60_000, pauseMs: 60_000 },
    { wishMs: 60_001, pauseMs: 60_000 },
  ])("a wish for $wishMs ms, where restPauseMsMax is 60000, pauses for $pauseMs", (row) => {
    const { dialer, rest, clock } = start({ policy: { ...BACKOFF, restPauseMsMax: 60_000 } });
    dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
    rest.answer(418, "", row.wishMs);
    clock.advance(row.pauseMs - 0.001);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test.each([
    { status: 429, field: "rateLimitedPauseMs", wishMs: undefined },
    { status: 418, field: "bannedPauseMs", wishMs: undefined },
    { status: 418, field: "bannedPauseMs", wishMs: 0 },
    { status: 403, field: "bannedPauseMs", wishMs: undefined },
    { status: 451, field: "bannedPauseMs", wishMs: undefined },
  ] as const)("a $status that wishes $wishMs ms pauses for $field", ({ status, field, wishMs }) => {
    const { dialer, rest, clock } = start({ policy: { ...BACKOFF, [field]: 30_000 } });
    dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
    rest.answer(status, "", wishMs);
    clock.advance(29_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test("a ban whose end stands in the answer pauses until then", () => {
    const { dialer, rest, clock } = start({ policy: BACKOFF });
    dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
    const endMs = clock.nowUs() / 1000 + 45_000;
    rest.answer(418, `{"code":-1003,"msg":"Way too many requests; IP banned until ${endMs}."}`);
    clock.advance(44_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(2);
    expect(rest.urls).toHaveLength(2);
  });

  test.each([
    ["an error status", 503, ""],
    ["an answer without a book", 200, '{"kind":"heartbeat"}'],
    ["a damaged answer", 200, "{"],
  ])(
    "%s is tried again, after longer and longer waits, and then left for long",
    (_, status, body) => {
      const { dialer, rest, clock, statuses, counters } = start({
        policy: { ...BACKOFF, snapshotAttemptsMax: 5, snapshotCooldownMs: 100_000 },
      });
      dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
      const waitsMs: number[] = [];
      for (let attempt = 1; attempt < 5; attempt += 1) {
        const startUs = clock.nowUs();
        rest.answer(status, body);
        while (rest.waiting.length === 0) clock.advance(100);
        waitsMs.push((clock.nowUs() - startUs) / 1000);
      }
      expect(waitsMs).toEqual([500, 1_000, 2_000, 2_000]);
      rest.answer(status, body);
      expect(statuses().at(-1)).toBe("A/book down snapshot-unavailable");
      clock.advance(99_999);
      expect(rest.waiting).toHaveLength(0);
      clock.advance(1);
      expect(rest.waiting).toHaveLength(1);
      expect(counters.snapshotsFailed).toBe(5);
    },
  );

  test("whose values are impossible is asked for again", () => {
    const { dialer, rest, clock, statuses, counters } = start();
    dialer.last.receive(bookFrame("A", { first: 10, last: 10 }));
    const impossible = { priceScale: 0, sizeScale: 0, bids: { prices: [99], sizes: [-1] } };
    rest.answer(200, JSON.stringify({ ...JSON.parse(snapshot("A", 10)), ...impossible }));
    expect(counters.rejected).toEqual({ "negative-size": 1 });
    clock.advance(500);
    rest.answer(200, snapshot("A", 10));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test("a request that fails without an answer is tried again", () => {
    const { dialer, rest, clock } = start();
    dialer.last.receive(bookFrame("A", { first: 1, last: 1 }));
    rest.waiting.shift()?.fail("timeout");
    clock.advance(500);
    expect(rest.urls).toHaveLength(2);
  });

  test("the answer to a connection that is gone is not used", () => {
    const { dialer, rest, ofKind } = start();
    dialer.last.receive(bookFrame("A", { first: 10, last: 10 }));
    dialer.last.drop();
    rest.answer(200, snapshot("A", 10));
    expect(ofKind("book")).toHaveLength(0);
  });

  test("more requests than may wait are put off, not lost", () => {
    const { dialer, rest, clock } = start({
      limits: { restWeight: { count: 10, intervalMs: 1_000 } },
      policy: { ...BACKOFF, snapshotsWaitingMax: 1 },
      topics: ["A/book", "B/book", "C/book"],
    });
    for (const symbol of ["A", "B", "C"]) {
      dialer.last.receive(bookFrame(symbol, { first: 1, last: 1 }));
    }
    clock.advance(30_000);
    expect(new Set(rest.urls).size).toBe(3);
  });
});

describe("a broken book", () => {
  test("is started anew alone while the other goes on", () => {
    const { dialer, rest, statuses, ofKind, counters } = synchronized();
    const statusesBefore = statuses().length;
    const booksBefore = ofKind("book").length;
    // Update 12 of A is missing.
    dialer.last.receive(bookFrame("A", { first: 13, last: 13 }));
    dialer.last.receive(bookFrame("B", { first: 12, last: 12 }));
    // A broke again right after it was live, so its request waits.
    expect(rest.urls).toHaveLength(2);
    expect(
      ofKind("book")
        .slice(booksBefore)
        .map((book) => book.instrument.symbol),
    ).toEqual(["B"]);
    expect(statuses().slice(statusesBefore)).toEqual([
      "A/book gap sequence-gap",
      "A/book resyncing sequence-gap",
    ]);
    expect(counters.gaps).toBe(1);
    expect(dialer.sockets).toHaveLength(1);
  });

  test("comes back with exactly one more snapshot", () => {
    const { dialer, rest, clock, statuses, counters } = synchronized();
    clock.advance(120_000);
    dialer.last.receive(bookFrame("A", { first: 13, last: 13 }));
    expect(rest.urls).toHaveLength(3);
    rest.answer(200, snapshot("A", 13));
    dialer.last.receive(bookFrame("A", { first: 14, last: 14 }));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    expect(counters).toMatchObject({ gaps: 1, resyncs: 1, snapshotsRequested: 3 });
  });

  test("that breaks again at once waits before it asks again", () => {
    const { dialer, rest, clock } = synchronized();
    dialer.last.receive(bookFrame("A", { first: 13, last: 13 }));
    expect(rest.urls).toHaveLength(2);
    clock.advance(500);
    expect(rest.urls).toHaveLength(3);
  });

  test("a message of it that cannot be used leads to its resync", () => {
    const { dialer, statuses } = synchronized();
    dialer.last.receive(bookFrame("A", { first: 12, last: 12, size: -1 }));
    expect(statuses().slice(-2)).toEqual([
      "A/book gap damaged-message",
      "A/book resyncing damaged-message",
    ]);
    const { dialer: other, statuses: otherStatuses } = synchronized();
    const reject = { kind: "rejected", reason: "bad-decimal", symbol: "B", channel: "book" };
    other.last.receive(JSON.stringify(reject));
    expect(otherStatuses().at(-1)).toBe("B/book resyncing damaged-message");
  });

  test("a damaged frame that names no book changes nothing but the count", () => {
    const { dialer, statuses, counters } = synchronized();
    const before = statuses().length;
    dialer.last.receive("{");
    expect(statuses()).toHaveLength(before);
    expect(counters.rejected).toEqual({ "bad-json": 1 });
  });
});

describe("a snapshot in the stream", () => {
  const inBand = { snapshot: "in-band", policy: { ...BACKOFF, inBandSnapshotTimeoutMs: 10_000 } };
  const damage = JSON.stringify({
    kind: "rejected",
    reason: "bad-decimal",
    symbol: "A",
    channel: "book",
  });

  function live() {
    const started = start(inBand as Partial<FakeSessionOptions>);
    started.dialer.last.receive(
      bookFrame("A", { snapshot: true }),
      bookFrame("B", { snapshot: true }),
    );
    started.dialer.last.sent.length = 0;
    return started;
  }

  test("is had anew by renewing the subscription of that book alone", () => {
    const { dialer, statuses, counters } = live();
    dialer.last.receive(damage);
    expect(dialer.last.sent).toEqual(["unsubscribe A/book", "subscribe A/book"]);
    dialer.last.receive(bookFrame("A", { snapshot: true }));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    expect(counters).toMatchObject({ resyncs: 1, resubscribes: 1 });
  });

  test("that does not come is asked for again", () => {
    const { dialer, clock } = live();
    dialer.last.receive(damage);
    clock.advance(9_999);
    expect(dialer.last.sent).toHaveLength(2);
    clock.advance(1 + 500);
    expect(dialer.last.sent).toHaveLength(4);
  });

  test("of a book that breaks again and again is asked for after longer waits", () => {
    const { dialer, clock } = live();
    const asked: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const before = dialer.last.sent.length;
      const startUs = clock.nowUs();
      dialer.last.receive(damage);
      while (dialer.last.sent.length === before) clock.advance(100);
      asked.push((clock.nowUs() - startUs) / 1000);
      dialer.last.receive(bookFrame("A", { snapshot: true }));
    }
    expect(asked).toEqual([0, 500, 1_000, 2_000]);
  });
});
