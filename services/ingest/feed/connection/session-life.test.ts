import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FakeSocket } from "#test/support/fake-feed.ts";
import { bookFrame, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import { IMPOSSIBLE, SESSION_LIFE } from "./session-life.ts";
import type { SessionEvent, SessionState } from "./session-life.ts";

const POLICY = {
  reconnectBackoffBaseMs: 100,
  reconnectBackoffMsMax: 400,
  rolloverOverlapMs: 50,
  rolloverTimeoutMs: 500,
  dialTimeoutMs: 300,
};

/** A session whose venue hands out addresses, brought into a state. */
function sessionIn(state: Exclude<SessionState, "idle">) {
  const started = startFakeSession({
    topics: ["A/trades"],
    handsOutAddresses: true,
    policy: POLICY,
  });
  const { rest, dialer, session } = started;
  if (state !== "opening") rest.answer(state === "waiting" ? 500 : 200, "fake://given");
  if (state === "open") dialer.last.open();
  if (state === "closed") session.close();
  return started;
}

/** What the venue sees of each event that can be brought about in each state. */
const GRID: readonly {
  readonly state: Exclude<SessionState, "idle">;
  readonly event: SessionEvent;
  readonly requests: number;
  readonly dials: number;
  readonly isOpen: boolean;
  readonly isRetried?: boolean;
}[] = [
  { state: "opening", event: "connect", requests: 1, dials: 0, isOpen: false },
  { state: "opening", event: "turn", requests: 1, dials: 1, isOpen: false },
  { state: "opening", event: "no-turn", requests: 1, dials: 0, isOpen: false, isRetried: true },
  { state: "opening", event: "close", requests: 1, dials: 0, isOpen: false },
  { state: "connecting", event: "connect", requests: 1, dials: 1, isOpen: false },
  { state: "connecting", event: "opened", requests: 1, dials: 1, isOpen: true },
  { state: "connecting", event: "lost", requests: 1, dials: 1, isOpen: false, isRetried: true },
  { state: "connecting", event: "close", requests: 1, dials: 1, isOpen: false },
  { state: "open", event: "connect", requests: 1, dials: 1, isOpen: true },
  { state: "open", event: "lost", requests: 1, dials: 1, isOpen: false, isRetried: true },
  { state: "open", event: "close", requests: 1, dials: 1, isOpen: false },
  { state: "waiting", event: "connect", requests: 2, dials: 0, isOpen: false },
  { state: "waiting", event: "close", requests: 1, dials: 0, isOpen: false },
  { state: "closed", event: "connect", requests: 1, dials: 1, isOpen: false },
  { state: "closed", event: "opened", requests: 1, dials: 1, isOpen: false },
  { state: "closed", event: "lost", requests: 1, dials: 1, isOpen: false },
  { state: "closed", event: "close", requests: 1, dials: 1, isOpen: false },
];

describe("the life of a session", () => {
  test.each(GRID)("$event while it is $state", (row) => {
    const { state, event, requests, dials, isOpen, isRetried = false } = row;
    const { session, rest, dialer, clock } = sessionIn(state);
    if (event === "connect") session.connectNow();
    else if (event === "turn") rest.answer(200, "fake://given");
    else if (event === "no-turn") rest.answer(200, "no address");
    else if (event === "opened") dialer.last.open();
    else if (event === "lost") dialer.last.drop();
    else session.close();
    expect(rest.urls).toHaveLength(requests);
    expect(dialer.sockets).toHaveLength(dials);
    expect(session.isOpen).toBe(isOpen);
    // What failed is tried again after a wait; nothing else is.
    clock.advance(POLICY.dialTimeoutMs - 1);
    expect(rest.urls.length > requests).toBe(isRetried);
  });

  test("nothing leaves closed, and everything but that leads there", () => {
    for (const events of Object.values(SESSION_LIFE)) expect(events.close).toBe("closed");
    expect(new Set(Object.values(SESSION_LIFE.closed))).toEqual(new Set(["closed"]));
  });

  test("every state that is not closed can be left by what the world does", () => {
    for (const [state, events] of Object.entries(SESSION_LIFE)) {
      if (state === "closed") continue;
      const next = Object.entries(events)
        .filter(([event]) => event !== "close")
        .map(([, to]) => to);
      expect(next.some((to) => to !== IMPOSSIBLE && to !== state)).toBe(true);
    }
  });
});

type Step =
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "open" | "drop" | "data" | "move"; readonly socket: number }
  | { readonly kind: "connect" | "resync" | "settle" | "roll" };

const STEPS = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 600 }) }),
    fc.record({
      kind: fc.constantFrom("open" as const, "drop" as const, "data" as const, "move" as const),
      // Counted from the last one that was dialled.
      socket: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({
      kind: fc.constantFrom<"connect" | "resync" | "settle" | "roll">(
        "connect",
        "resync",
        "settle",
        "roll",
      ),
    }),
  ),
  { maxLength: 60 },
);

/** A replacement that opens while what the one before it left behind is still heeded. */
const SECOND_ROLLOVER: Step[] = [
  { kind: "roll" },
  { kind: "move", socket: 0 },
  { kind: "open", socket: 0 },
];

/** The far ends of a session's connections, which behave as sockets do. */
class Network {
  readonly opened = new Set<FakeSocket>();
  readonly dropped = new Set<FakeSocket>();

  isAlive(socket: FakeSocket): boolean {
    return socket.ended === undefined && !this.dropped.has(socket);
  }

  open(socket: FakeSocket): void {
    if (!this.isAlive(socket) || this.opened.has(socket)) return;
    this.opened.add(socket);
    socket.open();
  }

  drop(socket: FakeSocket): void {
    if (this.dropped.has(socket)) return;
    this.dropped.add(socket);
    socket.drop();
  }

  receive(socket: FakeSocket, frame: string): void {
    if (this.isAlive(socket) && this.opened.has(socket)) socket.receive(frame);
  }
}

describe("whatever the network does", () => {
  test("a session has one connection that leads and at most one to replace it, and recovers", () => {
    let rollovers = 0;
    fc.assert(
      fc.property(STEPS, (steps) => {
        const { session, dialer, clock, catalog, snapshots, counters } = startFakeSession({
          topics: ["A/trades", "A/book"],
          snapshot: "in-band",
          policy: POLICY,
          limits: {
            silenceMsMax: { trades: 1_000 },
            connectionSilenceMsMax: 2_000,
            connectionAgeMsMax: 4_000,
          },
        });
        const network = new Network();
        const book = catalog.byVenueSymbol("A");
        let update = 0;
        const deliver = (socket: FakeSocket): void => {
          update += 1;
          network.receive(socket, tradeFrame("A", String(update)));
          network.receive(socket, bookFrame("A", { snapshot: true, last: update }));
        };
        const requestMove = (socket: FakeSocket): void =>
          network.receive(socket, '{"kind":"reconnect-requested","reason":"restart"}');
        const take = (step: Step): void => {
          if (step.kind === "advance") clock.advance(step.ms);
          else if (step.kind === "connect") session.connectNow();
          else if (step.kind === "resync" && book !== undefined) session.resyncBook(book);
          else if (step.kind === "settle" || step.kind === "roll") {
            // Everything that was dialled opens and delivers, for longer than a rollover takes.
            for (const socket of dialer.sockets) network.open(socket);
            if (step.kind === "roll") for (const socket of dialer.sockets) requestMove(socket);
            for (const socket of dialer.sockets) network.open(socket);
            for (const socket of dialer.sockets) deliver(socket);
            clock.advance(POLICY.rolloverTimeoutMs);
          } else if ("socket" in step) {
            const socket = dialer.sockets.at(-1 - step.socket);
            if (socket === undefined) return;
            if (step.kind === "open") network.open(socket);
            else if (step.kind === "drop") network.drop(socket);
            else if (step.kind === "move") requestMove(socket);
            else deliver(socket);
          }
        };
        for (const step of steps) {
          take(step);
          const alive = dialer.sockets.filter((socket) => network.isAlive(socket));
          expect(alive.length).toBeLessThanOrEqual(2);
          const open = alive.filter((socket) => network.opened.has(socket));
          // Open sockets are the session's: none is left behind by one that is not connected.
          expect(session.isOpen).toBe(open.length > 0);
        }
        rollovers += counters.rollovers;
        // The network is fine from now on.
        for (let round = 0; round < 40 && !session.isOpen; round += 1) {
          for (const socket of dialer.sockets) network.open(socket);
          clock.advance(100);
        }
        expect(session.isOpen).toBe(true);
        session.close();
        snapshots.close();
        expect(dialer.sockets.filter((socket) => network.isAlive(socket))).toEqual([]);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300, examples: [[SECOND_ROLLOVER]] },
    );
    expect(rollovers).toBeGreaterThan(20);
  });
});
