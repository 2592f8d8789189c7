import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeAdapter, fakeCatalog, FakeDialer } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { AddressBudget } from "../rest/address-budget.ts";
import { FEED_POLICY_DEFAULTS } from "../feed-policy.ts";
import { FeedLink } from "./feed-link.ts";
import type { LinkEvent, LinkState } from "./link-life.ts";

const READY = '{"kind":"ready"}';

/** A link to a venue that greets, brought into a state by what the network and the venue do. */
function linkIn(state: LinkState, connectionSilenceMsMax = Infinity) {
  const clock = new ManualClock();
  const dialer = new FakeDialer();
  const heard: string[] = [];
  const adapter = createFakeAdapter({ greets: true, limits: { connectionSilenceMsMax } });
  const link = new FeedLink({
    adapter,
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
    address: new AddressBudget({ limits: adapter.limits, clock, policy: FEED_POLICY_DEFAULTS }),
    owner: {
      onLinkOpen: () => heard.push("open"),
      onLinkFrame: () => heard.push("frame"),
      onLinkEvent: (_, event) => heard.push(event.kind),
      onLinkTick: (_, tick) => heard.push(tick.kind),
      onLinkRefused: (_, refused) => heard.push(`refused ${refused.length}`),
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

const SILENCE_MS_MAX = 60_000;
const STARTS = fc.constantFrom<LinkState>("dialing", "greeting", "open");

/** What the network, the venue, the owner and the clock do to a link. */
type Step =
  | "open"
  | "drop"
  | "greet"
  | "data"
  | "challenge"
  | "pong"
  | "fill"
  | "drain"
  | "send"
  | "close"
  | "terminate"
  | { readonly ms: number };

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom("open", "greet", "data", "challenge", "pong") },
    { weight: 3, arbitrary: fc.constantFrom("send", "fill", "drain") },
    { weight: 1, arbitrary: fc.constantFrom("drop", "close", "terminate") },
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 9_000 }).map((ms) => ({ ms })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 90_000 }).map((ms) => ({ ms })) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 40 },
);

/** What a step may be seen to do: what the owner hears, and what the venue is sent. */
type Seen = { readonly heard?: readonly string[]; readonly sent?: readonly string[] };

/** What a link must do, written without its table and without its timers. */
class LinkModel {
  isOpen: boolean;
  isGreeted: boolean;
  isEnded = false;
  #isFull = false;
  #ageMs = 0;
  #silentMs = 0;
  /** Until the next look at the silence, of which there are eight in the longest one. */
  #lookMs = SILENCE_MS_MAX / 8;

  constructor(start: LinkState) {
    this.isOpen = start !== "dialing";
    this.isGreeted = start === "open";
  }

  get maySend(): boolean {
    return this.isOpen && this.isGreeted && !this.isEnded;
  }

  /** False for what the network cannot do: before it opens and after its end it is mute. */
  isPossible(step: Step): boolean {
    if (step === "open") return !this.isOpen && !this.isEnded;
    if (step === "drop") return !this.isEnded;
    const isFrame = step === "greet" || step === "data" || step === "challenge" || step === "pong";
    return !isFrame || (this.isOpen && !this.isEnded);
  }

  take(step: Step): Seen {
    if (typeof step === "object") return this.#wait(step.ms);
    switch (step) {
      case "open":
        this.isOpen = true;
        return this.#alive();
      case "pong":
        return this.#alive();
      case "data":
        return this.#alive({ heard: ["frame", "heartbeat"] });
      case "challenge":
        return this.#alive({ heard: ["frame"], sent: ["answer"] });
      case "greet": {
        const isFirst = !this.isGreeted;
        this.isGreeted = true;
        return this.#alive({ heard: isFirst ? ["frame", "open"] : ["frame"] });
      }
      case "fill":
      case "drain":
        this.#isFull = step === "fill";
        return {};
      case "send":
        return { sent: this.maySend ? ["request"] : [] };
      case "drop":
        return this.#end("closed 1006");
      case "terminate":
        return this.#end("ours");
      case "close":
        this.isEnded = true;
        return {};
    }
  }

  #alive(seen: Seen = {}): Seen {
    this.#silentMs = 0;
    return seen;
  }

  #end(reason: string): Seen {
    if (this.isEnded) return {};
    this.isEnded = true;
    return { heard: [`closed: ${reason}`] };
  }

  #wait(waitMs: number): Seen {
    if (this.isEnded) return {};
    this.#ageMs += waitMs;
    if (!this.isGreeted) {
      this.#silentMs += waitMs;
      if (this.#ageMs < FEED_POLICY_DEFAULTS.dialTimeoutMs) return {};
      return this.#end(this.isOpen ? "greeting timeout" : "dial timeout");
    }
    let leftMs = waitMs;
    while (leftMs >= this.#lookMs) {
      leftMs -= this.#lookMs;
      this.#silentMs += this.#lookMs;
      this.#lookMs = SILENCE_MS_MAX / 8;
      if (this.#isFull) return this.#end("the venue does not read");
      if (this.#silentMs >= SILENCE_MS_MAX) return this.#end("connection silent");
    }
    this.#lookMs -= leftMs;
    this.#silentMs += leftMs;
    return {};
  }
}

describe("whatever happens to a connection", () => {
  const ends = new Map<string, number>();

  /** Does a step to the real one. */
  function act(step: Step, { link, socket, clock }: ReturnType<typeof linkIn>): void {
    if (typeof step === "object") return clock.advance(step.ms);
    if (step === "fill") socket.buffered = FEED_POLICY_DEFAULTS.outgoingBytesMax + 1;
    else if (step === "drain") socket.buffered = 0;
    else if (step === "open") socket.open();
    else if (step === "drop") socket.drop();
    else if (step === "pong") socket.handlers.onPong?.();
    else if (step === "greet") socket.receive(READY);
    else if (step === "data") socket.receive('{"kind":"heartbeat"}');
    else if (step === "challenge") socket.receive('{"kind":"reply","frame":"answer"}');
    else if (step === "send") link.send(["request"]);
    else if (step === "close") link.close();
    else link.terminate("ours");
  }

  test("it does what a link must, and every way to end is met", () => {
    fc.assert(
      fc.property(STARTS, STEPS, (start, steps) => {
        const real = linkIn(start, SILENCE_MS_MAX);
        const model = new LinkModel(start);
        real.socket.sent.length = 0;
        for (const step of steps) {
          if (!model.isPossible(step)) continue;
          const { heard = [], sent = [] } = model.take(step);
          act(step, real);
          expect(real.heard.splice(0)).toEqual(heard);
          expect(real.socket.sent.splice(0)).toEqual(sent);
          expect(real.link.isOpen).toBe(model.maySend);
          const end = heard.find((event) => event.startsWith("closed"));
          if (end !== undefined) ends.set(end, (ends.get(end) ?? 0) + 1);
        }
        real.link.close();
        expect(real.clock.pending).toBe(0);
      }),
      { numRuns: 1000 },
    );
    expect([...ends.keys()].sort()).toEqual([
      "closed: closed 1006",
      "closed: connection silent",
      "closed: dial timeout",
      "closed: greeting timeout",
      "closed: ours",
      "closed: the venue does not read",
    ]);
  });
});
