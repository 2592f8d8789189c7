import { describe, expect, test } from "vitest";
import { bookFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";

const answer = (kind: "subscribed" | "refused", channel: string, reason = ""): string =>
  JSON.stringify({ kind, venueSymbol: "A", channel, ...(reason === "" ? {} : { reason }) });

/** Advances until a frame more was sent, and says after how long; Infinity if none is. */
function waitMsFor(
  sent: readonly string[],
  clock: { advance(ms: number): void },
  maxMs: number,
): number {
  const before = sent.length;
  for (let waitedMs = 0; waitedMs <= maxMs; waitedMs += 250) {
    if (sent.length > before) return waitedMs;
    clock.advance(250);
  }
  return Infinity;
}

describe("a subscription that the venue does not answer", () => {
  test("is asked for again, each time after longer, until it is confirmed", () => {
    const { dialer, clock, statuses } = startFakeSession({ topics: ["A/trades"] });
    const socket = dialer.last.open();
    const [first = 0, second = 0, third = 0] = [1, 2, 3].map(() =>
      waitMsFor(socket.sent, clock, 300_000),
    );
    expect(first).toBeGreaterThanOrEqual(30_000);
    expect(first).toBeLessThan(33_000);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(new Set(socket.sent)).toEqual(new Set(["subscribe A/trades"]));
    expect(statuses().at(-1)).toBe("A/trades down not-answered");
    socket.receive(answer("subscribed", "trades"));
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
    expect(waitMsFor(socket.sent, clock, 3_600_000)).toBe(Infinity);
  });

  test("is left alone once its data flows", () => {
    const { dialer, clock } = startFakeSession({ topics: ["A/trades"] });
    const socket = dialer.last.open().receive(tradeFrame("A", "1"));
    expect(waitMsFor(socket.sent, clock, 3_600_000)).toBe(Infinity);
  });

  test("is given the time that many requests need in the venue's pace", () => {
    const topics = Array.from({ length: 200 }, (_, index) => `I${index}/trades`);
    const { dialer, clock } = startFakeSession({
      topics,
      limits: { outgoingFrames: { count: 2, intervalMs: 1000 } },
    });
    const socket = dialer.last.open();
    clock.advance(120_000);
    expect(socket.sent).toHaveLength(200);
    clock.advance(60_000);
    expect(socket.sent.length).toBeGreaterThan(200);
  });
});

describe("a subscription that the venue refuses", () => {
  test("for a moment is asked for again after waits that grow", () => {
    const { dialer, clock, statuses } = startFakeSession({ topics: ["A/trades"] });
    const socket = dialer.last.open();
    const waits: number[] = [];
    for (let refusals = 0; refusals < 8; refusals += 1) {
      socket.receive(answer("refused", "trades", "too many requests"));
      waits.push(waitMsFor(socket.sent, clock, 400_000));
    }
    expect(waits[0]).toBeGreaterThanOrEqual(2_500);
    expect(waits[0]).toBeLessThan(5_000);
    expect(waits.at(-1)).toBeGreaterThan(60_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(302_000);
    expect(statuses().at(-1)).toBe("A/trades down refused");
    socket.receive(answer("subscribed", "trades"));
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
  });

  test("for good is asked for again after an hour only", () => {
    const { dialer, clock } = startFakeSession({ topics: ["A/trades"] });
    const socket = dialer.last.open().receive(answer("refused", "trades", "unknown symbol"));
    const waitedMs = waitMsFor(socket.sent, clock, 7_200_000);
    expect(waitedMs).toBeGreaterThanOrEqual(3_600_000);
    expect(waitedMs).toBeLessThan(3_605_000);
  });

  test("because it is there already is confirmed", () => {
    const { dialer, statuses, counters } = startFakeSession({ topics: ["A/trades"] });
    dialer.last.open().receive(answer("refused", "trades", "already subscribed"));
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
    expect(counters.refusals).toBe(0);
  });
});

describe("a quiet book", () => {
  const snapshot = bookFrame("A", { snapshot: true, source: "rest", last: 5 });

  test("that begins with an answer is asked for when it is confirmed, and delivered", () => {
    const { dialer, rest, ofKind, statuses } = startFakeSession({ topics: ["A/book"] });
    const socket = dialer.last.open();
    expect(rest.urls).toEqual([]);
    socket.receive(answer("subscribed", "book"));
    expect(rest.urls).toHaveLength(1);
    rest.answer(200, snapshot);
    expect(ofKind("book").map((event) => event.snapshot)).toEqual([true]);
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    socket.receive(bookFrame("A", { first: 6, last: 6 }));
    expect(ofKind("book")).toHaveLength(2);
    expect(rest.urls).toHaveLength(1);
  });

  test("whose first change does not fit the answer begins anew", () => {
    const { dialer, rest, statuses, clock } = startFakeSession({ topics: ["A/book"] });
    const socket = dialer.last.open().receive(answer("subscribed", "book"));
    rest.answer(200, snapshot);
    socket.receive(bookFrame("A", { first: 9, last: 9 }));
    expect(statuses().slice(-2)).toEqual([
      "A/book gap sequence-gap",
      "A/book resyncing sequence-gap",
    ]);
    clock.advance(1_000);
    expect(rest.urls).toHaveLength(2);
  });

  test("that comes in the stream is not asked for", () => {
    const { dialer, rest } = startFakeSession({ topics: ["A/book"], snapshot: "in-band" });
    dialer.last.open().receive(answer("subscribed", "book"));
    expect(rest.urls).toEqual([]);
  });

  test("does not cost the connection on which trades flow", () => {
    const limits = { silenceMsMax: { book: 10_000 } };
    const topics = ["A/book", "A/trades"];
    const { dialer, clock, statuses } = startFakeSession({ topics, limits, snapshot: "in-band" });
    const socket = dialer.last.open().receive(bookFrame("A", { snapshot: true, last: 1 }));
    for (let second = 0; second < 600; second += 5) {
      clock.advance(5_000);
      socket.receive(tradeFrame("A", String(second)));
    }
    expect(socket.ended).toBeUndefined();
    expect(statuses()).toContain("A/book stale silent");
    // Without trades the connection is hung, which the next look at the book's silence shows.
    clock.advance(1_300_000);
    expect(socket.ended).toBe("terminated");
  });
});
