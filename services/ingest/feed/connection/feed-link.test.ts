import { describe, expect, test } from "vitest";
import { bookFrame, quoteFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";

const READY = '{"kind":"ready"}';
const reply = (frame: string): string => JSON.stringify({ kind: "reply", frame });

describe("an answer that the venue wants at once", () => {
  test("goes out on the connection that asked, and only there", () => {
    const { dialer } = startFakeSession({ topics: ["A/trades"], sessions: 2 });
    const [first, second] = dialer.sockets;
    first?.open();
    second?.open().receive(reply("pong 1"));
    expect(first?.sent).toEqual(["subscribe A/trades"]);
    expect(second?.sent).toEqual(["subscribe A/trades", "pong 1"]);
  });

  test("does not wait behind subscriptions, which make room for it", () => {
    const topics = Array.from({ length: 10 }, (_, index) => `I${index}/trades`);
    const { dialer, clock } = startFakeSession({
      topics,
      limits: { outgoingFrames: { count: 2, intervalMs: 1000 } },
    });
    dialer.last.open();
    dialer.last.receive(reply("pong 1"));
    expect(dialer.last.sent.slice(2)).toEqual(["pong 1"]);
    clock.advance(1000);
    expect(dialer.last.sent.slice(3)).toEqual(["subscribe I2/trades", "subscribe I3/trades"]);
    clock.advance(500);
    dialer.last.receive(reply("pong 2"));
    clock.advance(500);
    // The pong half a second ago counts: one subscription less goes out.
    expect(dialer.last.sent.slice(5)).toEqual(["pong 2", "subscribe I4/trades"]);
  });

  test("is no data: it keeps no channel from being stale", () => {
    const { dialer, clock, statuses } = startFakeSession({
      topics: ["A/quotes"],
      limits: { silenceMsMax: { quotes: 4_000 } },
    });
    dialer.last.open().receive(quoteFrame("A"));
    for (let second = 0; second < 5; second += 1) {
      clock.advance(1_000);
      dialer.last.receive(reply("pong"));
    }
    expect(statuses().at(-1)).toBe("A/quotes stale silent");
  });

  test("is not sent on a connection that has been closed", () => {
    const { dialer, session } = startFakeSession({ topics: ["A/trades"] });
    dialer.last.open();
    session.close();
    dialer.last.receive(reply("pong"));
    expect(dialer.last.sent).toEqual(["subscribe A/trades"]);
  });

  test("nor does the keep-alive wait behind subscriptions", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades", "B/trades", "C/trades"],
      limits: { outgoingFrames: { count: 1, intervalMs: 3_600_000 } },
      keepAliveMs: 1000,
    });
    dialer.last.open();
    clock.advance(2_000);
    expect(dialer.last.sent).toEqual(["subscribe A/trades", "alive 0", "alive 1"]);
  });
});

test("a connection is not taken for dead by a process that was held up and has not read", () => {
  const { dialer, clock } = startFakeSession({
    topics: ["A/trades"],
    limits: { connectionSilenceMsMax: 8_000 },
  });
  dialer.last.open().receive(tradeFrame("A", "1"));
  clock.hold(20_000);
  dialer.last.receive(tradeFrame("A", "2"));
  clock.advance(4_000);
  expect(dialer.sockets).toHaveLength(1);
  clock.advance(20_000);
  expect(dialer.sockets.length).toBeGreaterThan(1);
});

describe("a venue that greets", () => {
  const greeting = { greets: true, topics: ["A/trades"], policy: { dialTimeoutMs: 1000 } };

  test("is sent nothing before its greeting but what it asks back", () => {
    const { dialer, session, counters } = startFakeSession({ ...greeting, keepAliveMs: 100 });
    dialer.last.open().receive(reply("challenge answered"));
    expect(dialer.last.sent).toEqual(["challenge answered"]);
    expect(session.isOpen).toBe(false);
    expect(counters.connects).toBe(0);
    dialer.last.receive(READY);
    expect(dialer.last.sent).toEqual(["challenge answered", "subscribe A/trades"]);
    expect(session.isOpen).toBe(true);
    expect(counters.connects).toBe(1);
  });

  test.each([
    { waitMs: 999, ended: undefined },
    { waitMs: 1000, ended: "terminated" },
  ])("and has not after $waitMs ms, with 1000 allowed, is $ended", ({ waitMs, ended }) => {
    const { dialer, clock } = startFakeSession(greeting);
    clock.advance(400);
    const socket = dialer.last.open();
    clock.advance(waitMs - 400);
    expect(socket.ended).toBe(ended);
  });

  test("and did not is dialled again", () => {
    const { dialer, clock } = startFakeSession(greeting);
    dialer.last.open();
    clock.advance(31_000);
    expect(dialer.sockets.length).toBeGreaterThan(1);
  });

  test("twice is subscribed once", () => {
    const { dialer } = startFakeSession(greeting);
    dialer.last.open().receive(READY, READY);
    expect(dialer.last.sent).toEqual(["subscribe A/trades"]);
  });

  test("although nobody expects it is not subscribed twice", () => {
    const { dialer } = startFakeSession({ topics: ["A/trades"] });
    dialer.last.open().receive(READY);
    expect(dialer.last.sent).toEqual(["subscribe A/trades"]);
  });
});

describe("frames that open a connection", () => {
  test("go before the subscriptions, once on each connection", () => {
    const { dialer, clock } = startFakeSession({ topics: ["A/trades"], openingFrames: ["conf 1"] });
    const first = dialer.last.open();
    first.drop();
    clock.advance(1_000);
    const second = dialer.last.open();
    for (const { sent } of [first, second]) expect(sent).toEqual(["conf 1", "subscribe A/trades"]);
  });

  test("are no subscription: an address that subscribes by itself is confirmed all the same", () => {
    const { dialer, statuses } = startFakeSession({
      topics: ["A/trades"],
      openingFrames: ["conf 1"],
      subscribedByUrl: true,
    });
    dialer.last.open();
    expect(dialer.last.sent).toEqual(["conf 1"]);
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
  });
});

describe("an address that the venue hands out", () => {
  const handsOut = { handsOutAddresses: true, topics: ["A/trades"] };

  test("is asked for before each connect, and dialled", () => {
    const { dialer, rest, clock } = startFakeSession(handsOut);
    expect(dialer.sockets).toHaveLength(0);
    expect(rest.waiting[0]?.request).toMatchObject({ method: "POST", body: "{}" });
    rest.answer(200, "fake://one");
    expect(dialer.last.url).toMatch(/^fake:\/\/one\?id=/);
    const first = dialer.last.open();
    expect(first.sent).toEqual(["subscribe A/trades"]);
    first.drop();
    clock.advance(1_000);
    rest.answer(200, "fake://two");
    expect(dialer.last.url).toMatch(/^fake:\/\/two\?id=/);
    expect(dialer.last.url.split("id=")[1]).not.toBe(first.url.split("id=")[1]);
  });

  test("says how often to keep it alive", () => {
    const { dialer, rest, clock } = startFakeSession({ ...handsOut, keepAliveMs: 10_000 });
    rest.answer(200, "fake://one");
    dialer.last.open();
    clock.advance(699);
    expect(dialer.last.sent).toHaveLength(1);
    clock.advance(1);
    expect(dialer.last.sent.at(-1)).toBe("alive 0");
  });

  test.each([
    ["an error status", 503, ""],
    ["an answer without an address", 200, "{}"],
  ])("is asked for again after %s, after longer and longer waits", (_, status, body) => {
    const { dialer, rest, clock } = startFakeSession({
      ...handsOut,
      policy: { reconnectBackoffBaseMs: 100, reconnectBackoffMsMax: 1000 },
    });
    const waitsMs: number[] = [];
    for (let failures = 0; failures < 5; failures += 1) {
      const startUs = clock.nowUs();
      rest.answer(status, body);
      while (rest.waiting.length === 0) clock.advance(1);
      waitsMs.push((clock.nowUs() - startUs) / 1000);
    }
    expect(waitsMs).toEqual([50, 100, 200, 400, 500]);
    expect(dialer.sockets).toHaveLength(0);
  });

  test("is not asked for during a pause that the venue wished", () => {
    const { rest, clock } = startFakeSession(handsOut);
    rest.answer(429, "", 20_000);
    clock.advance(19_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test("does not let the dials out faster than the venue allows", () => {
    const { dialer, rest, clock } = startFakeSession({
      ...handsOut,
      sessions: 3,
      limits: { connects: { count: 2, intervalMs: 1000 } },
    });
    for (let asked = 0; asked < 3; asked += 1) rest.answer(200, "fake://one");
    expect(dialer.sockets).toHaveLength(2);
    clock.advance(1000);
    expect(dialer.sockets).toHaveLength(3);
  });

  test("comes too late for a session that was closed", () => {
    const { dialer, rest, session } = startFakeSession(handsOut);
    session.close();
    rest.answer(200, "fake://one");
    expect(dialer.sockets).toHaveLength(0);
  });

  test("is asked for anew when the connection is replaced, and a failure leaves the old one", () => {
    const { dialer, rest, clock, ofKind } = startFakeSession(handsOut);
    rest.answer(200, "fake://one");
    const old = dialer.last.open();
    const maintenance = '{"kind":"reconnect-requested","reason":"maintenance"}';
    old.receive(maintenance, maintenance);
    expect(rest.waiting).toHaveLength(1);
    rest.answer(503);
    old.receive(tradeFrame("A", "1"));
    expect(old.ended).toBeUndefined();
    clock.advance(30_000);
    rest.answer(200, "fake://two");
    dialer.last.open().receive(tradeFrame("A", "2"));
    clock.advance(2_000);
    expect(old.ended).toBe("closed");
    expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "2"]);
  });

  test("that comes after the old connection was lost does not dial twice", () => {
    const { dialer, rest, clock } = startFakeSession(handsOut);
    rest.answer(200, "fake://one");
    const old = dialer.last.open();
    old.receive('{"kind":"reconnect-requested","reason":"maintenance"}');
    old.drop();
    rest.answer(200, "fake://replacement");
    expect(dialer.sockets).toHaveLength(1);
    clock.advance(1_000);
    rest.answer(200, "fake://two");
    expect(dialer.sockets).toHaveLength(2);
  });
});

describe("the end of a subscription that only its connection can name", () => {
  const named = (id: number): string =>
    JSON.stringify({ kind: "subscribed", venueSymbol: "A", channel: "book", channelId: id });
  const damage = JSON.stringify({
    kind: "rejected",
    reason: "bad-decimal",
    symbol: "A",
    channel: "book",
  });

  test("is named by what the connection gave, also after the connection was replaced", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/book"],
      snapshot: "in-band",
      channelIds: true,
      limits: { connectionAgeMsMax: 100_000 },
      policy: { rolloverJitterMs: 0, rolloverOverlapMs: 1_000, rolloverTimeoutMs: 20_000 },
    });
    const old = dialer.last.open().receive(named(7), bookFrame("A", { snapshot: true }));
    old.receive(damage);
    expect(old.sent.slice(1)).toEqual(["end 7", "subscribe A/book"]);
    old.receive(bookFrame("A", { snapshot: true }));
    clock.advance(80_000);
    const fresh = dialer.last.open().receive(named(9), bookFrame("A", { snapshot: true }));
    clock.advance(1_000);
    expect(old.ended).toBe("closed");
    fresh.receive(damage);
    clock.advance(1_000);
    expect(fresh.sent.slice(1)).toEqual(["end 9", "subscribe A/book"]);
    expect(old.sent).toHaveLength(3);
  });

  test("is left out where the connection gave nothing", () => {
    const { dialer } = startFakeSession({
      topics: ["A/book"],
      snapshot: "in-band",
      channelIds: true,
    });
    dialer.last.open().receive(damage);
    expect(dialer.last.sent).toEqual(["subscribe A/book", "subscribe A/book"]);
  });
});

describe("a frame at which the decoder fails", () => {
  const FAULT = '{"kind":"rejected","reason":"decoder-fault"}';

  test("costs its connection, which is made anew, and no other one", () => {
    const { dialer, clock, counters, ofKind } = startFakeSession({
      topics: ["A/trades"],
      sessions: 2,
    });
    const [first, second] = dialer.sockets;
    first?.open();
    second?.open();
    first?.receive(FAULT);
    expect(first?.ended).toBe("terminated");
    expect(second?.ended).toBeUndefined();
    second?.receive(tradeFrame("A", "1"));
    expect(ofKind("trade")).toHaveLength(1);
    expect(counters.rejected["decoder-fault"]).toBe(1);
    clock.advance(1_000);
    dialer.last.open().receive(tradeFrame("A", "2"));
    expect(ofKind("trade")).toHaveLength(2);
  });

  test("that comes on each new connection is met after longer and longer waits", () => {
    const { dialer, clock } = startFakeSession({
      topics: ["A/trades"],
      policy: { reconnectBackoffBaseMs: 100, reconnectBackoffMsMax: 1000 },
    });
    const waitsMs: number[] = [];
    for (let faults = 0; faults < 5; faults += 1) {
      const dials = dialer.sockets.length;
      dialer.last.open().receive(FAULT);
      const startUs = clock.nowUs();
      while (dialer.sockets.length === dials) clock.advance(1);
      waitsMs.push((clock.nowUs() - startUs) / 1000);
    }
    expect(waitsMs).toEqual([50, 100, 200, 400, 500]);
  });
});
