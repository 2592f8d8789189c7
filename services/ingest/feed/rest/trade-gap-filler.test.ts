import { describe, expect, test } from "vitest";
import { tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";

const POLICY = { snapshotBackoffBaseMs: 100, reconnectBackoffBaseMs: 100 };

/** A session that has seen trades, lost its connection and has a new one, not yet subscribed. */
function reconnected(
  seen: readonly string[] = ["1", "2"],
  options: Partial<FakeSessionOptions> = {},
) {
  const started = startFakeSession({
    topics: ["A/trades"],
    fillsTrades: true,
    ...options,
    policy: { ...POLICY, ...options.policy },
  });
  started.dialer.last.open().receive(...seen.map((id) => tradeFrame("A", id)));
  started.dialer.last.drop();
  started.clock.advance(1_000);
  const socket = started.dialer.last.open();
  const before = started.statuses().length;
  const ids = (): string[] => started.ofKind("trade").map(({ tradeId }) => tradeId);
  /** Lets the request go out, and answers it. */
  const answer = (...answered: readonly string[]): void => {
    started.clock.advance(100);
    started.rest.answer(200, answered.map((id) => tradeFrame("A", id, true)).join("\n"));
  };
  return {
    ...started,
    socket,
    ids,
    answer,
    said: () => started.statuses().slice(before),
    live: (...live: readonly string[]) => socket.receive(...live.map((id) => tradeFrame("A", id))),
  };
}

describe("trades that a lost connection missed", () => {
  test("are fetched and put before the live ones, in order, and no gap is said", () => {
    const { rest, ids, answer, said, live, counters, ofKind } = reconnected();
    live("5", "6");
    expect(ids()).toEqual(["1", "2"]);
    answer("1", "2", "3", "4", "5");
    expect(rest.urls).toEqual(["fake://rest/trades/A?after=2"]);
    live("7");
    expect(ids()).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(ofKind("trade").every(({ historical }) => !historical)).toBe(true);
    expect(said()).toEqual(["A/trades live filled"]);
    expect(counters).toMatchObject({ tradesFilled: 2, tradeFillsFailed: 0, duplicateTrades: 0 });
  });

  test("are asked for when the subscription is confirmed, before any new trade", () => {
    const { socket, rest, clock, ids, answer, said } = reconnected();
    clock.advance(100);
    expect(rest.urls).toHaveLength(0);
    socket.receive('{"kind":"subscribed","venueSymbol":"A","channel":"trades"}');
    answer("2");
    expect(ids()).toEqual(["1", "2"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });

  test("are proven by numbers without a hole, where the answer begins after the last one", () => {
    const { ids, answer, said, live } = reconnected();
    live("5");
    answer("3", "4");
    expect(ids()).toEqual(["1", "2", "3", "4", "5"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });

  test("are proven to be none by the stream itself, whatever the answer lacks", () => {
    const { ids, answer, said, live } = reconnected();
    live("3");
    answer();
    expect(ids()).toEqual(["1", "2", "3"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });

  test("with ids that are no numbers are proven by the last one seen and the first live one", () => {
    const { ids, answer, said, live } = reconnected(["x-9", "a-1"]);
    live("f-0");
    answer("x-9", "a-1", "c-7", "f-0");
    expect(ids()).toEqual(["x-9", "a-1", "c-7", "f-0"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });

  test("are published all the same if the answer does not reach back, and the gap is said", () => {
    const { ids, answer, said, live, counters } = reconnected();
    live("8");
    answer("5", "6", "7", "8");
    expect(ids()).toEqual(["1", "2", "5", "6", "7", "8"]);
    expect(said()).toEqual([
      "A/trades gap reconnected; missing after trade 2 and before 5",
      "A/trades live data",
    ]);
    expect(counters.tradeFillsFailed).toBe(1);
  });

  test("behind a hole in the answer's own numbers are not proven", () => {
    const { ids, answer, said, live } = reconnected();
    live("9");
    answer("3", "5", "6");
    expect(ids()).toEqual(["1", "2", "3", "5", "6", "9"]);
    expect(said()[0]).toBe("A/trades gap reconnected; missing after trade 3 and before 5");
  });

  test("that fill more than one answer are asked for until they meet the live ones", () => {
    const { rest, ids, answer, said, live } = reconnected();
    live("7");
    answer("3", "4");
    answer("4", "5", "6");
    expect(rest.urls).toEqual(["fake://rest/trades/A?after=2", "fake://rest/trades/A?after=4"]);
    expect(ids()).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });

  describe("further back than the latest trades", () => {
    const paged = { pagesTrades: true };
    /** The requests for pages: the trades that each is to follow. */
    const pagesOf = (urls: readonly string[]): readonly string[] =>
      urls.filter((url) => url.includes("/page")).map((url) => url.split("=")[1] ?? "");

    test("are asked for page by page until they meet the live ones", () => {
      const { rest, ids, answer, said, live } = reconnected(["1", "2"], paged);
      live("9");
      answer("7", "8", "9");
      rest.answer(200, ["2", "3", "4"].map((id) => tradeFrame("A", id, true)).join("\n"));
      rest.answer(200, ["4", "5", "6"].map((id) => tradeFrame("A", id, true)).join("\n"));
      rest.answer(200, ["6", "7", "8", "9"].map((id) => tradeFrame("A", id, true)).join("\n"));
      expect(pagesOf(rest.urls)).toEqual(["2", "4", "6"]);
      expect(ids()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
      expect(said()).toEqual(["A/trades live filled"]);
    });

    test.each([
      { pages: 1, said: ["A/trades live filled"] },
      { pages: 2, said: ["A/trades live filled"] },
      {
        pages: 3,
        said: [
          "A/trades gap reconnected; missing after trade 6 and before 9",
          "A/trades live data",
        ],
      },
    ])("$pages pages where 2 are allowed: the exact rest is said", ({ pages, said: expected }) => {
      const policy = { tradeFillPagesMax: 2 };
      const { rest, ids, answer, said, live } = reconnected(["1", "2"], { ...paged, policy });
      const last = 2 + 2 * pages;
      live(String(last + 1));
      answer(String(last + 1));
      for (let page = 0; page < Math.min(pages, 2); page += 1) {
        const found = [0, 1, 2].map((each) => tradeFrame("A", String(2 + 2 * page + each), true));
        rest.answer(200, found.join("\n"));
      }
      expect(said()).toEqual(expected);
      expect(pagesOf(rest.urls)).toHaveLength(Math.min(pages, 2));
      expect(rest.waiting).toHaveLength(0);
      expect(ids().at(-1)).toBe(String(last + 1));
    });

    test("that the venue does not have any more are said to be missing, and no page is asked twice", () => {
      const { rest, ids, answer, said, live } = reconnected(["1", "2"], paged);
      live("9");
      answer("8", "9");
      rest.answer(200, ["5", "6"].map((id) => tradeFrame("A", id, true)).join("\n"));
      expect(pagesOf(rest.urls)).toEqual(["2"]);
      expect(said()[0]).toBe("A/trades gap reconnected; missing after trade 2 and before 5");
      expect(ids()).toEqual(["1", "2", "5", "6", "9"]);
    });
  });

  test("are complete without live ones when an answer brings nothing new", () => {
    const { socket, rest, ids, answer, said } = reconnected();
    socket.receive('{"kind":"subscribed","venueSymbol":"A","channel":"trades"}');
    answer("2", "3");
    expect(said()).toEqual([]);
    answer("3");
    expect(rest.urls).toHaveLength(2);
    expect(ids()).toEqual(["1", "2", "3"]);
    expect(said()).toEqual(["A/trades live filled"]);
  });
});

describe("a fill that does not succeed", () => {
  test.each([
    { requestsMax: 1, asked: 1 },
    { requestsMax: 2, asked: 2 },
    { requestsMax: 3, asked: 3 },
  ])("is given up after $requestsMax failed requests, and says the gap", (row) => {
    const policy = { tradeFillRequestsMax: row.requestsMax, tradeFillTimeoutMs: 100_000 };
    const { rest, clock, ids, said, live } = reconnected(["1", "2"], { policy });
    live("5");
    clock.advance(0);
    while (rest.waiting.length > 0) {
      expect(said()).toEqual([]);
      rest.answer(503);
      clock.advance(10_000);
    }
    expect(rest.urls).toHaveLength(row.asked);
    expect(said()).toEqual([
      "A/trades gap reconnected; missing after trade 2 and before 5",
      "A/trades live data",
    ]);
    expect(ids()).toEqual(["1", "2", "5"]);
  });

  test("holds the live trades no longer than allowed; what comes too late is not used", () => {
    const { rest, clock, ids, said, live } = reconnected(["1", "2"], {
      policy: { tradeFillTimeoutMs: 5_000 },
    });
    live("5");
    clock.advance(4_999);
    expect(ids()).toEqual(["1", "2"]);
    clock.advance(1);
    expect(ids()).toEqual(["1", "2", "5"]);
    expect(said()).toEqual([
      "A/trades gap reconnected; missing after trade 2 and before 5",
      "A/trades live data",
    ]);
    rest.answer(200, tradeFrame("A", "3"));
    expect(ids()).toEqual(["1", "2", "5"]);
  });

  test.each([
    { count: 2, held: true },
    { count: 3, held: true },
    { count: 4, held: false },
  ])("of $count live trades, where 3 may be held, waits: $held", ({ count, held }) => {
    const { ids, said, live, counters } = reconnected(["1", "2"], {
      policy: { tradeFillHeldMax: 3 },
    });
    const sent = Array.from({ length: count }, (_, index) => `${index + 10}`);
    live(...sent);
    expect(ids()).toEqual(held ? ["1", "2"] : ["1", "2", ...sent]);
    expect(said().some((text) => text.startsWith("A/trades gap reconnected"))).toBe(!held);
    expect(counters.tradeFillsFailed).toBe(held ? 0 : 1);
  });

  test("because the connection is lost again with live trades held says the gap and loses none", () => {
    const { socket, clock, dialer, rest, ids, said, live } = reconnected();
    live("5");
    socket.drop();
    expect(ids()).toEqual(["1", "2", "5"]);
    expect(said()).toEqual([
      "A/trades gap reconnected; missing after trade 2 and before 5",
      "A/trades live data",
      "A/trades down disconnected",
    ]);
    clock.advance(1_000);
    dialer.last.open().receive(tradeFrame("A", "6"));
    clock.advance(100);
    expect(rest.urls.at(-1)).toBe("fake://rest/trades/A?after=5");
  });

  test("because the connection is lost again with nothing held goes on with the next one", () => {
    const { socket, clock, dialer, rest, ids, said } = reconnected();
    socket.receive('{"kind":"subscribed","venueSymbol":"A","channel":"trades"}');
    clock.advance(100);
    rest.waiting.length = 0;
    socket.drop();
    clock.advance(1_000);
    dialer.last.open().receive(tradeFrame("A", "4"));
    clock.advance(100);
    rest.answer(200, [tradeFrame("A", "2"), tradeFrame("A", "3")].join("\n"));
    expect(ids()).toEqual(["1", "2", "3", "4"]);
    expect(said()).not.toContain("A/trades gap reconnected; missing after trade 2 and before 5");
  });
});

describe("nothing is fetched", () => {
  test("where the venue does not offer it: the gap is said", () => {
    const { rest, clock, said, live } = reconnected(["1"], { fillsTrades: false });
    live("5");
    clock.advance(1_000);
    expect(rest.urls).toEqual([]);
    expect(said()).toEqual(["A/trades gap reconnected", "A/trades live data"]);
  });

  test("where no trade with an id was seen before", () => {
    const { rest, clock, said, live } = reconnected([""]);
    live("5");
    clock.advance(1_000);
    expect(rest.urls).toEqual([]);
    expect(said()[0]).toBe("A/trades gap reconnected");
  });

  test("on the first connection, nor when a connection is replaced", () => {
    const { dialer, rest, clock, ofKind, statuses } = startFakeSession({
      topics: ["A/trades"],
      fillsTrades: true,
    });
    const old = dialer.last.open().receive(tradeFrame("A", "1"));
    old.receive('{"kind":"reconnect-requested","reason":"maintenance"}');
    dialer.last.open().receive(tradeFrame("A", "2"));
    clock.advance(5_000);
    expect(old.ended).toBe("closed");
    dialer.last.receive(tradeFrame("A", "3"));
    expect(rest.urls).toEqual([]);
    expect(ofKind("trade")).toHaveLength(3);
    expect(statuses().filter((text) => text.includes("gap"))).toEqual([]);
  });
});

describe("a hole that the venue's numbers show on a connection that holds", () => {
  const hole = JSON.stringify({
    kind: "rejected",
    reason: "missing-data",
    symbol: "A",
    channel: "trades",
  });

  function holed() {
    const started = startFakeSession({ topics: ["A/trades"], fillsTrades: true, policy: POLICY });
    started.dialer.last.open().receive(tradeFrame("A", "1"));
    const before = started.statuses().length;
    started.dialer.last.receive(hole, tradeFrame("A", "4"));
    started.clock.advance(100);
    return { ...started, said: () => started.statuses().slice(before) };
  }

  test("is filled without a word but the count", () => {
    const { rest, ofKind, said, counters } = holed();
    rest.answer(200, [tradeFrame("A", "2"), tradeFrame("A", "3")].join("\n"));
    expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "2", "3", "4"]);
    expect(said()).toEqual([]);
    expect(counters.rejected).toEqual({ "missing-data": 1 });
    expect(counters.gaps).toBe(0);
  });

  test("is not taken for closed by an answer that is older than it", () => {
    const { dialer, rest, clock, statuses, ofKind } = startFakeSession({
      topics: ["A/trades"],
      fillsTrades: true,
      policy: POLICY,
    });
    dialer.last.open().receive(tradeFrame("A", "1"), hole);
    clock.advance(100);
    rest.answer(200, tradeFrame("A", "1"));
    clock.advance(100);
    rest.answer(200, [tradeFrame("A", "1"), tradeFrame("A", "2")].join("\n"));
    clock.advance(1_000);
    rest.answer(200, tradeFrame("A", "2"));
    clock.advance(60_000);
    expect(rest.waiting).toHaveLength(0);
    expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "2"]);
    expect(statuses().filter((text) => text.includes("gap"))).toEqual([]);
  });

  test("is said if it cannot be filled", () => {
    const { rest, ofKind, said, counters } = holed();
    rest.answer(200, tradeFrame("A", "3"));
    expect(ofKind("trade").map(({ tradeId }) => tradeId)).toEqual(["1", "3", "4"]);
    expect(said()).toEqual(["A/trades gap missing-data", "A/trades live data-resumed"]);
    expect(counters.gaps).toBe(1);
  });
});
