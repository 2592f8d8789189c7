import { describe, expect, test } from "vitest";
import { SessionRig } from "#test/support/session-rig.ts";
import { somebody } from "#test/support/principals.ts";
import { stepOf } from "./session-table.ts";
import type { SessionEvent, SessionState } from "./session-table.ts";

const STATES = ["awaiting-hello", "open", "draining", "closing", "closed"] as const;

/**
 * What each event does in each state: the state afterwards, the code that the session closes with,
 * `late` if nothing happens, `never` if our own code rules it out.
 */
const EXPECTED: Record<SessionEvent, readonly [string, string, string, string, string]> = {
  frame: ["awaiting-hello", "open", "draining", "late", "never"],
  hello: ["open", "4500", "4500", "never", "never"],
  subscribe: ["4500", "open", "draining", "never", "never"],
  unsubscribe: ["4500", "open", "draining", "never", "never"],
  update: ["4500", "open", "draining", "never", "never"],
  call: ["4500", "open", "draining", "never", "never"],
  cancel: ["4500", "open", "draining", "never", "never"],
  credit: ["4500", "open", "draining", "never", "never"],
  ping: ["4500", "open", "draining", "never", "never"],
  probeAnswer: ["4500", "open", "draining", "never", "never"],
  authenticate: ["4500", "open", "draining", "never", "never"],
  "text-frame": ["4501", "4501", "4501", "never", "never"],
  "oversized-frame": ["4502", "4502", "4502", "never", "never"],
  "unreadable-frame": ["4500", "4500", "4500", "never", "never"],
  "unknown-version": ["4503", "4500", "4500", "never", "never"],
  "request-rate-exceeded": ["4004", "4004", "4004", "never", "never"],
  "topic-rate-exceeded": ["never", "4004", "4004", "never", "never"],
  "call-id-not-rising": ["never", "4500", "4500", "never", "never"],
  "hello-timeout": ["4005", "never", "never", "never", "never"],
  unauthenticated: ["4504", "never", "never", "never", "never"],
  "access-limited": ["4011", "never", "never", "never", "never"],
  "access-unavailable": ["4012", "never", "never", "never", "never"],
  "access-expired": ["4010", "4010", "4010", "never", "never"],
  "access-revoked": ["4510", "4510", "4510", "never", "never"],
  lagging: ["awaiting-hello", "open", "draining", "never", "never"],
  "too-slow": ["4001", "4001", "4001", "never", "never"],
  "catalog-changed": ["late", "open", "draining", "late", "never"],
  "going-away": ["awaiting-hello", "draining", "late", "late", "never"],
  dismissed: ["4000", "4000", "4000", "late", "late"],
  cut: ["closing", "closing", "closing", "closing", "late"],
  writable: ["awaiting-hello", "open", "draining", "late", "late"],
  pong: ["awaiting-hello", "open", "draining", "late", "late"],
  "connection-gone": ["closed", "closed", "closed", "closed", "never"],
};

const CONFIG = {
  frameBytesMax: 1_000,
  requestsPerSecondMax: 20,
  topicsPerSecondMax: 10,
  subscriptionsMax: 4,
  helloTimeoutMs: 1_000,
  outboundBytesMax: 1_000,
  writeAheadBytesMax: 100,
};

/** A session in a state. Its transport takes its time: `closing` lasts until the test ends it. */
function sessionThatIs(state: SessionState): SessionRig {
  const rig = new SessionRig(CONFIG);
  rig.connection.handler = undefined;
  if (state === "awaiting-hello") return rig;
  rig.hello();
  if (state === "draining") rig.session.announceGoingAway(500);
  if (state === "closing") rig.session.dismiss();
  if (state === "closed") rig.session.onClose(1001, "");
  rig.endTurn();
  return rig;
}

/** Something is queued, and so much that was sent before has not reached the kernel. */
function owe(rig: SessionRig, bytes: number): void {
  if (rig.state === "awaiting-hello") rig.session.announceGoingAway(500);
  else rig.says({ ping: { nonce: 1 } });
  rig.connection.buffered = bytes;
  rig.endTurn();
}

/** What the client shows at its Hello is no proof. */
function refuse(rig: SessionRig, kind: "invalid" | "expired" | "revoked" | "unavailable"): void {
  rig.whoIs = { kind, reason: "" };
  rig.hello();
}

const EVENTS: Record<SessionEvent, (rig: SessionRig) => void> = {
  frame: (rig) => rig.says(),
  hello: (rig) => rig.hello(),
  subscribe: (rig) => rig.subscribe(1, "fake:BTC-USDT/trades"),
  unsubscribe: (rig) =>
    rig.says({ unsubscribe: { requestId: 1, topics: ["fake:BTC-USDT/trades"] } }),
  update: (rig) => rig.says({ update: { requestId: 1, topics: [] } }),
  call: (rig) => rig.says({ call: { callId: 1, method: "nothing" } }),
  cancel: (rig) => rig.says({ cancel: { callId: 1 } }),
  credit: (rig) => rig.says({ credit: { callId: 1, credits: 1 } }),
  ping: (rig) => rig.says({ ping: { nonce: 1 } }),
  probeAnswer: (rig) => rig.says({ probeAnswer: { number: 1 } }),
  authenticate: (rig) => rig.says({ authenticate: { requestId: 1, accessToken: "x" } }),
  "text-frame": (rig) => rig.session.onMessage(Uint8Array.of(65), false),
  "oversized-frame": (rig) => rig.session.onMessage(new Uint8Array(1_001), true),
  "unreadable-frame": (rig) => rig.session.onMessage(new Uint8Array(20).fill(255), true),
  "unknown-version": (rig) => rig.says({ hello: { protocolVersion: 2 } }),
  // Messages of no kind, which are no fault at any time but their number.
  "request-rate-exceeded": (rig) => rig.says(...Array.from({ length: 21 }, () => ({}))),
  // Each is refused, until there were too many of them.
  "topic-rate-exceeded": (rig) => {
    for (let times = 0; times < 9; times += 1) {
      rig.subscribe(1, ...Array.from({ length: 11 }, () => "fake:BTC-USDT/trades"));
    }
  },
  "call-id-not-rising": (rig) => rig.says({ call: { callId: 0, method: "nothing" } }),
  "hello-timeout": (rig) => rig.clock.advance(1_000),
  unauthenticated: (rig) => refuse(rig, "invalid"),
  "access-limited": (rig) => {
    rig.whoIs = somebody([], { limits: { connectionsMax: 1 } });
    rig.takeAllSeats();
    rig.hello();
  },
  "access-unavailable": (rig) => refuse(rig, "unavailable"),
  "access-expired": (rig) => {
    if (rig.state === "awaiting-hello") refuse(rig, "expired");
    rig.whoIs = somebody([], {}, { expiresAtMs: rig.clock.nowUs() / 1_000 + 5_000 });
    rig.session.reviewAccess();
    rig.clock.advance(5_000 + 10_000);
  },
  "access-revoked": (rig) => {
    if (rig.state === "awaiting-hello") refuse(rig, "revoked");
    rig.whoIs = { kind: "revoked", reason: "" };
    rig.session.reviewAccess();
  },
  lagging: (rig) => owe(rig, 600),
  "too-slow": (rig) => owe(rig, 1_001),
  "catalog-changed": (rig) => {
    rig.session.onCatalogChanged({ venue: "fake", added: new Map(), removed: [] });
  },
  "going-away": (rig) => rig.session.announceGoingAway(500),
  dismissed: (rig) => rig.session.dismiss(),
  cut: (rig) => rig.session.terminate(),
  writable: (rig) => rig.session.onDrain(),
  pong: (rig) => rig.session.onPong(1),
  "connection-gone": (rig) => rig.session.onClose(1001, ""),
};

/** Where a session stands, or the code that it is being closed with. */
function outcome(rig: SessionRig): string {
  const [code] = rig.connection.ends.join().match(/\d+/) ?? [];
  if (code !== undefined) return rig.state === "closing" ? code : `${code} but ${rig.state}`;
  return rig.state;
}

describe.each(STATES)("a session that is %s", (state) => {
  const column = STATES.indexOf(state);
  const cells = Object.entries(EXPECTED).map(([event, row]) => [event, row[column]] as const);
  const possible = cells.filter(([, expected]) => expected !== "never");
  const impossible = cells.filter(([, expected]) => expected === "never");

  test.each(possible)("on %s: %s", (name, expected) => {
    const event = name as SessionEvent;
    const rig = sessionThatIs(state);
    rig.connection.ends.length = 0;
    const sent = rig.connection.sent.length;
    EVENTS[event](rig);
    rig.endTurn();
    expect(outcome(rig)).toBe(expected === "late" ? state : expected);
    const isSilent = rig.connection.sent.length === sent;
    expect(isSilent || expected !== "late").toBe(true);
    const isCut = event === "cut" && state !== "closed";
    expect(rig.connection.ends.includes("terminated")).toBe(isCut);
  });

  test.each(impossible)("never sees %s", (event) => {
    expect(stepOf(state, event as SessionEvent)).toBeUndefined();
  });
});

test("an event that cannot happen is a broken invariant, not a close", () => {
  const rig = sessionThatIs("closed");
  expect(() => rig.says()).toThrow("frame cannot happen to a session that is closed");
  expect(() => rig.session.onClose(1001, "")).toThrow("connection-gone cannot happen");
});
