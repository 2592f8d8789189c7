import { describe, expect, test } from "vitest";
import { bookFrame, quoteFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";

const confirmed = (channel: string): string =>
  JSON.stringify({ kind: "subscribed", venueSymbol: "A", channel });

/** A session whose trades were confirmed and then came no more, up to the venue being asked. */
function startQuiet(options: { readonly policy?: { readonly probesWaitingMax?: number } } = {}) {
  const started = startFakeSession({ topics: ["A/trades"], fillsTrades: true, ...options });
  const socket = started.dialer.last.open().receive(confirmed("trades"));
  const { clock, rest } = started;
  const untilAsked = (maxMs: number): number => {
    const before = rest.waiting.length;
    let waitedMs = 0;
    for (; rest.waiting.length === before && waitedMs < maxMs; waitedMs += 500) clock.advance(500);
    return waitedMs;
  };
  return { ...started, socket, untilAsked };
}

describe("trades that do not come", () => {
  test("are live while the venue has none either, and asked about more and more seldom", () => {
    const { rest, untilAsked, statuses } = startQuiet();
    const waits: number[] = [];
    for (let looks = 0; looks < 6; looks += 1) {
      waits.push(untilAsked(3_600_000));
      rest.answer(200, tradeFrame("A", "7", true));
    }
    expect(waits[0]).toBeGreaterThanOrEqual(60_000);
    expect(waits[0]).toBeLessThan(90_000);
    expect(waits.at(-2)).toBeGreaterThan((waits[0] ?? 0) * 3);
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
  });

  test("are stale once the venue has new ones that did not come, and are asked for anew", () => {
    const { rest, clock, untilAsked, statuses, socket, counters } = startQuiet();
    untilAsked(120_000);
    rest.answer(200, tradeFrame("A", "7", true));
    untilAsked(60_000);
    rest.answer(200, [tradeFrame("A", "7", true), tradeFrame("A", "8", true)].join("\n"));
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
    clock.advance(5_000);
    expect(statuses().at(-1)).toBe("A/trades stale not-served");
    expect(counters.probesDead).toBe(1);
    clock.advance(20_000);
    expect(socket.sent).toContain("unsubscribe A/trades");
    socket.receive(tradeFrame("A", "9"));
    expect(statuses().at(-1)).toBe("A/trades live data-resumed");
  });

  test("are not dead if the news come within the grace", () => {
    const { rest, clock, untilAsked, statuses, socket } = startQuiet();
    untilAsked(120_000);
    rest.answer(200, tradeFrame("A", "7", true));
    untilAsked(60_000);
    rest.answer(200, tradeFrame("A", "8", true));
    socket.receive(tradeFrame("A", "8"));
    clock.advance(60_000);
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
  });

  test("stay live if the venue does not answer", () => {
    const { rest, untilAsked, statuses, counters } = startQuiet();
    untilAsked(120_000);
    rest.answer(500);
    expect(statuses().at(-1)).toBe("A/trades live subscribed");
    expect(counters.probesFailed).toBe(1);
  });

  test("that are dead go to another connection if asking anew does not help", () => {
    const { rest, clock, untilAsked, dialer } = startQuiet();
    untilAsked(120_000);
    rest.answer(200, tradeFrame("A", "7", true));
    untilAsked(60_000);
    rest.answer(200, tradeFrame("A", "8", true));
    expect(dialer.sockets).toHaveLength(1);
    clock.advance(600_000);
    expect(dialer.sockets.length).toBeGreaterThan(1);
  });
});

describe("a quiet book", () => {
  const book = (size: number): string =>
    JSON.stringify({ bids: [["99", String(size)]], asks: [["101", "1"]] });
  function startBook() {
    const started = startFakeSession({
      topics: ["A/book"],
      snapshot: "in-band",
      limits: { silenceMsMax: { book: 60_000 } },
      asksForLevels: true,
    });
    const socket = started.dialer.last.open();
    socket.receive(confirmed("book"), bookFrame("A", { snapshot: true, last: 1 }));
    return { ...started, socket };
  }

  test("that is the venue's is live at the first look", () => {
    const { clock, rest, statuses } = startBook();
    clock.advance(90_000);
    rest.answer(200, book(1));
    clock.advance(60_000);
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test("that is not the venue's at two looks is stale, though the venue's rests too", () => {
    const { clock, rest, statuses } = startBook();
    clock.advance(90_000);
    rest.answer(200, book(2));
    clock.advance(25_000);
    rest.answer(200, book(2));
    clock.advance(5_000);
    expect(statuses().at(-1)).toBe("A/book stale not-served");
  });

  test("is stale if the venue does not say", () => {
    const { clock, rest, statuses } = startBook();
    clock.advance(90_000);
    rest.answer(404);
    expect(statuses().at(-1)).toBe("A/book stale silent");
  });
});

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
])("of %i quiet instruments %i are asked about where 2 may wait", (count, asked) => {
  const names = Array.from({ length: count }, (_, index) => `I${index}`);
  const { dialer, clock, rest } = startFakeSession({
    topics: names.map((name) => `${name}/trades`),
    fillsTrades: true,
    policy: { probesWaitingMax: 2 },
  });
  const socket = dialer.last.open();
  for (const name of names) {
    socket.receive(JSON.stringify({ kind: "subscribed", venueSymbol: name, channel: "trades" }));
  }
  clock.advance(75_000);
  clock.advance(10_000);
  expect(rest.urls).toHaveLength(asked);
});

test("a channel that nothing can be asked about is never doubted", () => {
  const { dialer, clock, rest } = startFakeSession({ topics: ["A/quotes"] });
  dialer.last.open().receive(confirmed("quotes"), quoteFrame("A"));
  clock.advance(3_600_000);
  expect(rest.urls).toEqual([]);
});
