import { describe, expect, test } from "vitest";
import { bookFrame, quoteFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";

describe("connecting", () => {
  test("subscribes everything once the connection is open", () => {
    const { dialer } = startFakeSession({ topics: ["A/trades", "A/book"] });
    expect(dialer.last.sent).toEqual([]);
    dialer.last.open();
    expect(dialer.last.sent).toEqual(["subscribe A/trades", "subscribe A/book"]);
  });

  test("sends subscriptions in the venue's pace", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades", "B/trades", "C/trades"],
      limits: { outgoingFrames: { count: 2, intervalMs: 1000 } },
    });
    dialer.last.open();
    expect(dialer.last.sent).toHaveLength(2);
    clock.advance(999);
    expect(dialer.last.sent).toHaveLength(2);
    clock.advance(1);
    expect(dialer.last.sent).toHaveLength(3);
  });

  test("the sessions of a venue share its limit on connects", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      sessions: 3,
      limits: { connects: { count: 2, intervalMs: 1000 } },
    });
    expect(dialer.sockets).toHaveLength(2);
    clock.advance(1000);
    expect(dialer.sockets).toHaveLength(3);
  });

  test("gives up a dial that does not open, and dials again", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      policy: { dialTimeoutMs: 1000, reconnectBackoffBaseMs: 100 },
    });
    clock.advance(999);
    expect(dialer.last.ended).toBeUndefined();
    clock.advance(1);
    expect(dialer.last.ended).toBe("terminated");
    clock.advance(50);
    expect(dialer.sockets).toHaveLength(2);
  });

  test("waits longer after each failure, up to the maximum", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      policy: { reconnectBackoffBaseMs: 100, reconnectBackoffMsMax: 1000 },
    });
    const waitsMs: number[] = [];
    for (let failures = 0; failures < 7; failures += 1) {
      const before = dialer.sockets.length;
      dialer.last.drop();
      const startUs = clock.nowUs();
      while (dialer.sockets.length === before) clock.advance(1);
      waitsMs.push((clock.nowUs() - startUs) / 1000);
    }
    expect(waitsMs).toEqual([50, 100, 200, 400, 500, 500, 500]);
  });

  test("a stable connection starts the waits anew, an unstable one does not", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      policy: { reconnectBackoffBaseMs: 100, connectionStableMs: 10_000 },
    });
    const waitAfter = (heldMs: number): number => {
      dialer.last.open();
      clock.advance(heldMs);
      const before = dialer.sockets.length;
      dialer.last.drop();
      const startUs = clock.nowUs();
      while (dialer.sockets.length === before) clock.advance(1);
      return (clock.nowUs() - startUs) / 1000;
    };
    expect([waitAfter(9_999), waitAfter(9_999), waitAfter(10_000)]).toEqual([50, 100, 50]);
  });

  test("an address that subscribes by itself counts as confirmed", () => {
    const { dialer, statuses } = startFakeSession({ topics: ["A/trades"], subscribedByUrl: true });
    dialer.last.open();
    expect(dialer.last.sent).toEqual([]);
    expect(statuses()).toEqual(["A/trades syncing connecting", "A/trades live subscribed"]);
  });

  test("a refused subscription is down; the others go on", () => {
    const { dialer, statuses, counters } = startFakeSession({ topics: ["A/trades", "B/trades"] });
    dialer.last
      .open()
      .receive(
        '{"kind":"refused","venueSymbol":"A","channel":"trades","reason":"unknown symbol"}',
        tradeFrame("B", "1"),
      );
    expect(statuses()).toContain("A/trades down refused");
    expect(statuses()).toContain("B/trades live data");
    expect(counters.refusals).toBe(1);
  });

  test("data of a channel that nobody asked for is counted and left out", () => {
    const { dialer, ofKind, counters } = startFakeSession({ topics: ["A/trades"] });
    dialer.last.open().receive(quoteFrame("A"));
    expect(ofKind("quote")).toHaveLength(0);
    expect(counters.unrequested).toBe(1);
  });

  test("closing leaves no timer and ignores what still comes", () => {
    const { dialer, session, clock, snapshots, events } = startFakeSession({
      topics: ["A/trades"],
      limits: { silenceMsMax: { trades: 1000 }, connectionSilenceMsMax: 1000 },
      keepAliveMs: 500,
    });
    dialer.last.open();
    session.close();
    session.close();
    snapshots.close();
    const before = events.length;
    dialer.last.receive(tradeFrame("A", "1"));
    dialer.last.drop();
    expect(dialer.last.ended).toBe("closed");
    expect(events).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });
});

describe("liveness of the connection", () => {
  test("a keep-alive frame goes out in its interval", () => {
    const { dialer, clock } = startFakeSession({ topics: [], keepAliveMs: 1000 });
    dialer.last.open();
    clock.advance(2_500);
    expect(dialer.last.sent).toEqual(["alive 0", "alive 1"]);
  });

  test.each([-7_200_000, 7_200_000])(
    "is not cut, and its subscriptions are not stale, because the wall clock was set by %i ms",
    (setByMs) => {
      const { dialer, clock, statuses } = startFakeSession({
        topics: ["A/quotes"],
        limits: { silenceMsMax: { quotes: 4_000 }, connectionSilenceMsMax: 8_000 },
      });
      dialer.last.open();
      dialer.last.receive(quoteFrame("A"));
      clock.set(setByMs);
      clock.advance(3_900);
      dialer.last.receive(quoteFrame("A"));
      clock.advance(3_900);
      expect(statuses().filter((status) => status.includes("stale"))).toEqual([]);
      expect([dialer.sockets.length, dialer.last.ended]).toEqual([1, undefined]);
      // Time that passes counts as before.
      clock.advance(2_000);
      expect(statuses().at(-1)).toBe("A/quotes stale silent");
    },
  );

  test("pings a silent connection, and ends it if nothing comes back", () => {
    const { dialer, clock, counters } = startFakeSession({
      topics: ["A/trades"],
      limits: { connectionSilenceMsMax: 8_000 },
    });
    dialer.last.open();
    clock.advance(3_999);
    expect(dialer.last.pings).toBe(0);
    clock.advance(1_001);
    expect(dialer.last.pings).toBe(1);
    clock.advance(2_999);
    expect(dialer.last.ended).toBeUndefined();
    clock.advance(1);
    expect(dialer.last.ended).toBe("terminated");
    expect(counters.disconnects).toBe(1);
  });

  test("an answered ping keeps it", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      limits: { connectionSilenceMsMax: 8_000 },
    });
    dialer.last.open();
    for (let round = 0; round < 10; round += 1) {
      clock.advance(5_000);
      dialer.last.handlers.onPong?.();
    }
    expect(dialer.last.ended).toBeUndefined();
    expect(dialer.last.pings).toBeGreaterThan(5);
  });

  test("a venue that does not read loses the connection", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      limits: { connectionSilenceMsMax: 8_000 },
      policy: { outgoingBytesMax: 1000 },
    });
    dialer.last.open();
    dialer.last.buffered = 1000;
    clock.advance(1_000);
    expect(dialer.last.ended).toBeUndefined();
    dialer.last.buffered = 1001;
    clock.advance(1_000);
    expect(dialer.last.ended).toBe("terminated");
  });

  test("too many frames waiting for the venue's pace end the connection", () => {
    const topics = ["A/trades", "B/trades", "C/trades", "D/trades"];
    const limits = { outgoingFrames: { count: 1, intervalMs: 1000 } };
    const at = (outgoingFramesWaitingMax: number) => {
      const { dialer } = startFakeSession({ topics, limits, policy: { outgoingFramesWaitingMax } });
      const [socket] = dialer.sockets;
      socket?.open();
      return socket?.ended;
    };
    expect([at(2), at(3), at(4)]).toEqual(["terminated", undefined, undefined]);
  });
});

describe("silence of a subscription", () => {
  const silent = { limits: { silenceMsMax: { quotes: 4_000 }, connectionSilenceMsMax: 60_000 } };

  test("is noticed although heartbeats and other data arrive", () => {
    const { dialer, clock, statuses } = startFakeSession({
      ...silent,
      topics: ["A/quotes", "B/quotes"],
    });
    dialer.last.open().receive(quoteFrame("A"), quoteFrame("B"));
    for (let second = 0; second < 5; second += 1) {
      clock.advance(1_000);
      dialer.last.receive('{"kind":"heartbeat"}', quoteFrame("B"));
    }
    expect(statuses().at(-1)).toBe("A/quotes stale silent");
    expect(statuses().filter((text) => text.includes("stale"))).toHaveLength(1);
  });

  test("is no silence up to the limit", () => {
    const { dialer, clock, statuses } = startFakeSession({ ...silent, topics: ["A/quotes"] });
    dialer.last.open().receive(quoteFrame("A"));
    clock.advance(4_000);
    expect(statuses().at(-1)).toBe("A/quotes live data");
    clock.advance(1_000);
    expect(statuses().at(-1)).toBe("A/quotes stale silent");
  });

  test("ends with the next data", () => {
    const { dialer, clock, statuses } = startFakeSession({ ...silent, topics: ["A/quotes"] });
    dialer.last.open().receive(quoteFrame("A"));
    clock.advance(5_000);
    dialer.last.receive(quoteFrame("A"));
    expect(statuses().at(-1)).toBe("A/quotes live data-resumed");
  });

  test("that lasts is answered by renewing that subscription alone", () => {
    const { dialer, clock } = startFakeSession({ ...silent, topics: ["A/quotes", "B/quotes"] });
    dialer.last.open().receive(quoteFrame("A"), quoteFrame("B"));
    const before = dialer.last.sent.length;
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1_000);
      dialer.last.receive(quoteFrame("B"));
    }
    expect(dialer.last.sent.slice(before)).toEqual(["unsubscribe A/quotes", "subscribe A/quotes"]);
    expect(dialer.sockets).toHaveLength(1);
  });

  test("of everything, although renewed, ends the connection", () => {
    const { dialer, clock } = startFakeSession({ ...silent, topics: ["A/quotes"] });
    dialer.last.open().receive(quoteFrame("A"));
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1_000);
      dialer.sockets[0]?.handlers.onPong?.();
    }
    expect(dialer.sockets[0]?.ended).toBe("terminated");
    expect(dialer.sockets).toHaveLength(2);
  });
});

describe("a lost connection", () => {
  test("takes down its channels, and trades say that some may be missing", () => {
    const { dialer, clock, statuses } = startFakeSession({ topics: ["A/trades", "A/quotes"] });
    dialer.last.open().receive(tradeFrame("A", "1"), quoteFrame("A"));
    const before = statuses().length;
    dialer.last.drop();
    clock.advance(1_000);
    dialer.last.open().receive(tradeFrame("A", "2"), quoteFrame("A"));
    expect(statuses().slice(before)).toEqual([
      "A/trades down disconnected",
      "A/quotes down disconnected",
      "A/trades syncing subscribing",
      "A/quotes syncing subscribing",
      "A/trades gap reconnected",
      "A/trades live data",
      "A/quotes live data",
    ]);
  });

  test("does not touch the other connections", () => {
    const { dialer, statuses } = startFakeSession({ topics: ["A/trades"], sessions: 2 });
    const [first, second] = dialer.sockets;
    first?.open();
    second?.open();
    first?.drop();
    expect(second?.ended).toBeUndefined();
    expect(statuses().filter((text) => text.includes("down"))).toHaveLength(1);
  });

  test("old trades that come again are left out, missed ones are taken", () => {
    const { dialer, clock, ofKind, counters } = startFakeSession({ topics: ["A/trades"] });
    dialer.last.open().receive(tradeFrame("A", "1"), tradeFrame("A", "2"));
    dialer.last.drop();
    clock.advance(1_000);
    dialer.last
      .open()
      .receive(
        tradeFrame("A", "1", true),
        tradeFrame("A", "2", true),
        tradeFrame("A", "3", true),
        tradeFrame("A", "4"),
      );
    expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "2", "3", "4"]);
    expect(counters.duplicateTrades).toBe(2);
  });

  test("takes the book down, which starts anew with the next connection", () => {
    const { dialer, clock, statuses, rest, counters } = startFakeSession({ topics: ["A/book"] });
    const start = (last: number): void => {
      dialer.last.open().receive(bookFrame("A", { first: last, last }));
      rest.answer(200, bookFrame("A", { last, snapshot: true, source: "rest" }));
      dialer.last.receive(bookFrame("A", { first: last + 1, last: last + 1 }));
    };
    start(10);
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    dialer.last.drop();
    expect(statuses().at(-1)).toBe("A/book down disconnected");
    clock.advance(1_000);
    start(100);
    expect(statuses().at(-1)).toBe("A/book live synchronized");
    expect(counters).toMatchObject({ gaps: 0, resyncs: 1 });
  });
});
