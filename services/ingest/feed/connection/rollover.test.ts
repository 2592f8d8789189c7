import { expect, test } from "vitest";
import { bookFrame, quoteFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";

const AGE_MS = 100_000;
/** When it happens with a jitter in the middle of its range. */
const ROLLOVER_MS = 75_000;
const POLICY = {
  rolloverJitterMs: 10_000,
  rolloverOverlapMs: 1_000,
  rolloverTimeoutMs: 20_000,
};

/** A session whose connection is being replaced: both are open. */
function overlapping(options: Partial<FakeSessionOptions> = {}) {
  const started = startFakeSession({
    topics: ["A/trades", "A/quotes", "A/book"],
    limits: { connectionAgeMsMax: AGE_MS },
    policy: POLICY,
    ...options,
  });
  const [old] = started.dialer.sockets;
  if (old === undefined) throw new Error("not dialled");
  old.open().receive(bookFrame("A", { first: 1, last: 1 }));
  started.rest.answer(200, bookFrame("A", { last: 1, snapshot: true, source: "rest" }));
  old.receive(bookFrame("A", { first: 2, last: 2 }), tradeFrame("A", "1"), quoteFrame("A"));
  started.clock.advance(ROLLOVER_MS);
  const fresh = started.dialer.sockets[1];
  if (fresh === undefined) throw new Error("not replaced");
  return { ...started, old, fresh };
}

test("the connection is replaced before the venue's limit, at a moment that jitters", () => {
  const replacedAtMs = (random: number): number => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      limits: { connectionAgeMsMax: AGE_MS },
      policy: POLICY,
      random,
    });
    dialer.last.open();
    const startUs = clock.nowUs();
    while (dialer.sockets.length === 1) clock.advance(100);
    return (clock.nowUs() - startUs) / 1000;
  };
  expect([replacedAtMs(0), replacedAtMs(0.5), replacedAtMs(0.99)]).toEqual([
    80_000, 75_000, 70_100,
  ]);
});

test("old and new overlap, then the old one is closed; nobody sees it", () => {
  const { old, fresh, clock, statuses, counters } = overlapping();
  const before = statuses().length;
  fresh.open();
  expect(fresh.sent).toEqual(["subscribe A/trades", "subscribe A/quotes", "subscribe A/book"]);
  fresh.receive(quoteFrame("A"));
  clock.advance(999);
  expect(old.ended).toBeUndefined();
  clock.advance(1);
  expect(old.ended).toBe("closed");
  expect(statuses()).toHaveLength(before);
  expect(counters).toMatchObject({ rollovers: 1, disconnects: 0 });
});

test("each trade and each delta is published once, whichever connection is ahead", () => {
  const { old, fresh, clock, ofKind, statuses, counters } = overlapping();
  fresh.open();
  // The new connection is ahead of the old one by a trade and a delta when it takes over.
  fresh.receive(tradeFrame("A", "2"), bookFrame("A", { first: 3, last: 3, size: 5 }));
  old.receive(tradeFrame("A", "2"), bookFrame("A", { first: 3, last: 3, size: 5 }));
  fresh.receive(tradeFrame("A", "3"), bookFrame("A", { first: 4, last: 4, size: 6 }));
  clock.advance(1_000);
  fresh.receive(tradeFrame("A", "4"), bookFrame("A", { first: 5, last: 5, size: 7 }));
  old.receive(tradeFrame("A", "5"), bookFrame("A", { first: 9, last: 9 }));
  expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "2", "3", "4"]);
  expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 1, 5, 6, 7]);
  expect(counters).toMatchObject({ gaps: 0, resyncs: 0 });
  expect(statuses().filter((text) => text.includes("gap"))).toEqual([]);
});

test("a new connection that lags repeats nothing and costs no resync", () => {
  const { old, fresh, clock, ofKind, statuses, counters } = overlapping();
  const before = statuses().length;
  // Delivered before the new connection is open, and again by it after it took over.
  old.receive(bookFrame("A", { first: 3, last: 3, size: 5 }));
  fresh.open();
  fresh.receive(quoteFrame("A"));
  clock.advance(1_000);
  expect(old.ended).toBe("closed");
  fresh.receive(
    bookFrame("A", { first: 3, last: 3, size: 5 }),
    bookFrame("A", { first: 4, last: 4, size: 6 }),
  );
  expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 1, 5, 6]);
  expect(counters).toMatchObject({ gaps: 0, resyncs: 0 });
  expect(statuses()).toHaveLength(before);
});

test("quotes come from the old connection until the new one takes over", () => {
  const { old, fresh, clock, ofKind } = overlapping();
  const before = ofKind("quote").length;
  fresh.open();
  fresh.receive(quoteFrame("A", 90));
  old.receive(quoteFrame("A", 91));
  clock.advance(1_000);
  old.receive(quoteFrame("A", 92));
  fresh.receive(quoteFrame("A", 93));
  const bids = ofKind("quote")
    .slice(before)
    .map(({ bidPriceMantissa }) => bidPriceMantissa);
  expect(bids).toEqual([91, 93]);
});

test("a book that starts in the stream moves with its snapshot on the new connection", () => {
  const { dialer, clock, ofKind, counters } = startFakeSession({
    topics: ["A/book"],
    snapshot: "in-band",
    limits: { connectionAgeMsMax: AGE_MS },
    policy: POLICY,
  });
  const old = dialer.last.open().receive(bookFrame("A", { snapshot: true, size: 1 }));
  clock.advance(ROLLOVER_MS);
  const fresh = dialer.last.open();
  fresh.receive(bookFrame("A", { size: 50 }));
  old.receive(bookFrame("A", { size: 2 }));
  clock.advance(5_000);
  expect(old.ended).toBeUndefined();
  fresh.receive(bookFrame("A", { snapshot: true, size: 3 }), bookFrame("A", { size: 4 }));
  old.receive(bookFrame("A", { size: 60 }));
  clock.advance(1_000);
  expect(old.ended).toBe("closed");
  expect(ofKind("book").map(({ bids }) => bids.sizes[0])).toEqual([1, 2, 3, 4]);
  expect(counters.resyncs).toBe(0);
});

test("the old connection is dropped at the time limit even if the new one is quiet", () => {
  const { old, fresh, clock } = overlapping();
  fresh.open();
  clock.advance(19_999);
  expect(old.ended).toBeUndefined();
  clock.advance(1);
  expect(old.ended).toBe("closed");
});

test("losing the old connection meanwhile makes the new one take over at once", () => {
  const { old, fresh, ofKind, statuses } = overlapping();
  const before = statuses().length;
  fresh.open();
  old.drop();
  fresh.receive(quoteFrame("A", 95));
  expect(ofKind("quote").at(-1)?.bidPriceMantissa).toBe(95);
  expect(statuses()).toHaveLength(before);
});

test("a replacement that fails leaves the old connection alone and is tried again", () => {
  const { old, fresh, dialer, clock, ofKind } = overlapping();
  fresh.drop();
  old.receive(quoteFrame("A", 96));
  expect(ofKind("quote").at(-1)?.bidPriceMantissa).toBe(96);
  expect(dialer.sockets).toHaveLength(2);
  clock.advance(30_000);
  expect(dialer.sockets).toHaveLength(3);
});

test("a venue that asks for a reconnect gets it the same way", () => {
  const { dialer } = startFakeSession({ topics: ["A/trades"] });
  dialer.last.open().receive('{"kind":"reconnect-requested","reason":"maintenance"}');
  expect(dialer.sockets).toHaveLength(2);
  expect(dialer.sockets[0]?.ended).toBeUndefined();
});
