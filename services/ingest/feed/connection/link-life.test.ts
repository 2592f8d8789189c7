import { describe, expect, test } from "vitest";
import { createFakeAdapter, fakeCatalog, FakeDialer } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { FEED_POLICY_DEFAULTS } from "../feed-policy.ts";
import { FeedLink } from "./feed-link.ts";
import type { LinkEvent, LinkState } from "./link-life.ts";

const READY = '{"kind":"ready"}';

/** A link to a venue that greets, brought into a state by what the network and the venue do. */
function linkIn(state: LinkState) {
  const clock = new ManualClock();
  const dialer = new FakeDialer();
  const heard: string[] = [];
  const link = new FeedLink({
    adapter: createFakeAdapter({ greets: true }),
    endpoints: { webSocket: "", rest: "" },
    catalog: fakeCatalog(["A"]),
    bookDepth: 10,
    clock,
    random: () => 0.5,
    policy: FEED_POLICY_DEFAULTS,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ticket: { url: "fake://x" },
    dialer,
    recorded: false,
    owner: {
      onLinkOpen: () => heard.push("open"),
      onLinkFrame: () => heard.push("frame"),
      onLinkEvent: (_, event) => heard.push(event.kind),
      onLinkClosed: (_, reason) => heard.push(`closed: ${reason}`),
    },
  });
  if (state !== "dialing") dialer.last.open();
  if (state === "open" || state === "closed") dialer.last.receive(READY);
  if (state === "closed") link.terminate("test");
  heard.length = 0;
  return { link, socket: dialer.last, clock, heard };
}

/** What the owner hears when an event happens in a state. */
const GRID: Readonly<
  Record<LinkState, Readonly<Record<LinkEvent | "timeout", readonly string[]>>>
> = {
  dialing: {
    connected: [],
    greeted: [],
    ended: ["closed: closed 1006"],
    timeout: ["closed: dial timeout"],
  },
  greeting: {
    connected: [],
    greeted: ["frame", "open"],
    ended: ["closed: closed 1006"],
    timeout: ["closed: greeting timeout"],
  },
  open: { connected: [], greeted: ["frame"], ended: ["closed: closed 1006"], timeout: [] },
  closed: { connected: [], greeted: [], ended: [], timeout: [] },
};

const CELLS = Object.entries(GRID).flatMap(([state, events]) =>
  Object.entries(events).map(([event, heard]) => ({
    state: state as LinkState,
    event: event as LinkEvent | "timeout",
    heard,
  })),
);

describe("the life of a connection", () => {
  test.each(CELLS)("$event while it is $state", ({ state, event, heard: expected }) => {
    const { socket, clock, heard } = linkIn(state);
    if (event === "connected") socket.open();
    else if (event === "greeted") socket.receive(READY);
    else if (event === "ended") socket.drop();
    else clock.advance(FEED_POLICY_DEFAULTS.dialTimeoutMs);
    expect(heard).toEqual(expected);
  });

  test.each([
    { state: "dialing", sent: [] },
    { state: "greeting", sent: ["pong"] },
    { state: "open", sent: ["request", "pong"] },
    { state: "closed", sent: [] },
  ] as const)("what may be sent while it is $state: $sent", ({ state, sent }) => {
    const { link, socket } = linkIn(state);
    const before = socket.sent.length;
    link.send(["request"]);
    socket.receive('{"kind":"reply","frame":"pong"}');
    expect(socket.sent.slice(before)).toEqual(sent);
  });

  test.each(["dialing", "greeting", "open"] as const)(
    "it ends once, however often it is ended while it is %s, and leaves no timer",
    (state) => {
      const { link, socket, clock, heard } = linkIn(state);
      link.terminate("first");
      link.terminate("second");
      link.close();
      socket.drop();
      socket.open();
      socket.receive(READY);
      expect(heard).toEqual(["closed: first"]);
      expect(socket.ended).toBe("terminated");
      expect(clock.pending).toBe(0);
    },
  );

  test("closed politely, it says nothing to its owner", () => {
    const { link, socket, heard } = linkIn("open");
    link.close();
    socket.drop();
    expect(heard).toEqual([]);
    expect(socket.ended).toBe("closed");
  });
});
