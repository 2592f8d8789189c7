import { describe, expect, test } from "vitest";
import { bookFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { type FakeSessionOptions, startFakeSession } from "#test/support/fake-session.ts";

const confirmed = (channel: string, name = "A"): string =>
  JSON.stringify({ kind: "subscribed", venueSymbol: name, channel });
const refused = (reason: string, code?: string): string =>
  JSON.stringify({ kind: "refused", venueSymbol: "A", channel: "trades", reason, code });

/** A session and how long it takes until something more is sent. */
function start(options: FakeSessionOptions) {
  const started = startFakeSession(options);
  const socket = started.dialer.last.open();
  const untilSent = (maxMs: number): number => {
    const before = socket.sent.length;
    let waitedMs = 0;
    for (; socket.sent.length === before && waitedMs < maxMs; waitedMs += 250) {
      started.clock.advance(250);
    }
    return socket.sent.length > before ? waitedMs : Infinity;
  };
  return { ...started, socket, untilSent };
}

describe("a book that is confirmed and does not begin", () => {
  const options = { topics: ["A/book", "B/trades"], snapshot: "in-band" } as const;

  test("is asked for anew, then on another connection, then told to be unserved", () => {
    const { socket, dialer, clock, statuses } = start(options);
    socket.receive(confirmed("book"), confirmed("trades", "B"));
    expect(statuses().filter((text) => text.startsWith("A/"))).toEqual([
      "A/book syncing connecting",
    ]);
    clock.advance(40_000);
    expect(socket.sent.slice(2)).toEqual(["unsubscribe A/book", "subscribe A/book"]);
    socket.receive(confirmed("book"));
    clock.advance(70_000);
    expect(dialer.sockets).toHaveLength(2);
    expect(statuses().at(-1)).not.toBe("A/book down not-served");
    clock.advance(130_000);
    expect(statuses().at(-1)).toBe("A/book down not-served");
    expect(statuses()).not.toContain("A/book live subscribed");
    socket.receive(bookFrame("A", { snapshot: true, last: 1 }));
    expect(statuses().at(-1)).toBe("A/book live synchronized");
  });

  test.each([
    [599_000, 1],
    [601_000, 2],
  ])("costs %i ms after its connection was replaced %i replacements in all", (ms, count) => {
    const { socket, dialer, clock } = start(options);
    const dialsAtMs: number[] = [];
    socket.receive(confirmed("book"), confirmed("trades", "B"));
    let replacedAtMs = Infinity;
    for (let atMs = 0; atMs < replacedAtMs + ms; atMs += 250) {
      clock.advance(250);
      const { last } = dialer;
      if (last === socket || dialsAtMs.length === dialer.sockets.length - 1) continue;
      dialsAtMs.push(atMs);
      replacedAtMs = Math.min(replacedAtMs, atMs);
      // It works, but does not serve the book either.
      last.open().receive(confirmed("book"), tradeFrame("B", String(atMs)));
    }
    expect(dialsAtMs.length).toBeLessThanOrEqual(count);
    expect(dialsAtMs.length).toBeGreaterThan(0);
  });
});

describe("a connection that takes over", () => {
  test("is asked again for what it has neither confirmed nor served", () => {
    const { dialer, clock, statuses } = start({
      topics: ["A/trades", "B/trades"],
      limits: { connectionAgeMsMax: 7_200_000 },
      random: 0.1,
    });
    dialer.last.receive(confirmed("trades"), confirmed("trades", "B"));
    clock.advance(7_200_000);
    const next = dialer.last.open().receive(confirmed("trades"), tradeFrame("A", "1"));
    clock.advance(5_000);
    expect(dialer.sockets[0]?.ended).toBe("closed");
    const before = next.sent.length;
    clock.advance(40_000);
    expect(next.sent.slice(before)).toEqual(["subscribe B/trades"]);
    next.receive(confirmed("trades", "B"));
    expect(statuses().at(-1)).toBe("B/trades live subscribed");
    clock.advance(600_000);
    expect(next.sent.slice(before)).toHaveLength(1);
  });
});

describe("a venue that refuses for the moment", () => {
  const topics = ["A/trades"];

  test.each([
    [5, "A/trades syncing connecting"],
    [6, "A/trades down refused"],
    [7, "A/trades down refused"],
  ])("%i times in a row: %s, and goes on being asked in its pace", (times, told) => {
    const rules = { passing: { codes: ["9"] } };
    const { socket, statuses, untilSent } = start({ topics, refusals: rules });
    for (let refusals = 0; refusals < times; refusals += 1) {
      if (refusals > 0) untilSent(400_000);
      socket.receive(refused("wait", "9"));
    }
    expect(
      statuses()
        .filter((text) => !text.includes("refused-for-now"))
        .at(-1),
    ).toBe(told);
    expect(untilSent(400_000)).toBeLessThan(302_000);
  });

  test.each([
    [5, true],
    [6, false],
  ])("with a code that nobody knows %i times: asked again soon: %s", (times, isSoon) => {
    const { socket, untilSent } = start({ topics, refusals: { passing: { codes: ["9"] } } });
    for (let refusals = 0; refusals < times; refusals += 1) {
      if (refusals > 0) untilSent(400_000);
      socket.receive(refused("odd", "77"));
    }
    expect(untilSent(302_000) < 302_000).toBe(isSoon);
  });

  test("because it is asked too fast is sent nothing for a while, on any connection", () => {
    const { dialer, clock, sessions } = startFakeSession({
      topics: ["A/trades", "B/trades"],
      sessions: 2,
      refusals: { tooFast: { codes: ["429"] } },
      limits: { address: { outgoingFrames: { count: 100, intervalMs: 1_000 } } },
    });
    const [first, second] = dialer.sockets.map((socket) => socket.open());
    first?.receive(refused("slow down", "429"));
    const before = second?.sent.length ?? 0;
    second?.receive(bookFrame("A", { snapshot: true, last: 1 }));
    sessions[1]?.close();
    clock.advance(9_000);
    expect(first?.sent).toHaveLength(2);
    expect(second?.sent).toHaveLength(before);
    clock.advance(31_000);
    expect(first?.sent.length).toBeGreaterThan(2);
  });
});

test("data on a connection says more than a refusal of it", () => {
  const { socket, statuses, untilSent } = start({ topics: ["A/trades"] });
  socket.receive(refused("unknown symbol"), tradeFrame("A", "1"));
  expect(statuses().at(-1)).toBe("A/trades live data");
  expect(untilSent(7_200_000)).toBe(Infinity);
});
