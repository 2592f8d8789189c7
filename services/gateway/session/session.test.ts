import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionRig } from "#test/support/session-rig.ts";

const TRADES = "fake:BTC-USDT/trades";
const BOOK = "fake:ETH-USDT/book";
const STATUS = "fake:BTC-USDT/status";
/** NOTICE_KIND_GAP. */
const GAP = 3;

function openRig(config?: ConstructorParameters<typeof SessionRig>[0]): SessionRig {
  const rig = new SessionRig(config);
  rig.hello();
  rig.endTurn();
  return rig;
}

describe("a handshake", () => {
  test("is answered with the limits, logged with who it is, and ends the wait", () => {
    const rig = openRig({ subscriptionsMax: 7, requestsPerSecondMax: 9 });
    const [message] = rig.messages;
    expect(message?.welcome).toMatchObject({
      sessionId: "session-1",
      serverVersion: "1.2.3",
      gatewayId: "gateway-1",
    });
    expect(message?.welcome?.limits).toMatchObject({
      subscriptionsMax: 7,
      requestsPerSecondMax: 9,
    });
    expect(rig.logs).toHaveLength(1);
    expect(rig.logs[0]).toMatch(/^session opened .*"principal":"anonymous","clientName":"test"/);
    expect(rig.clock.pending).toBe(0);
  });

  test("that does not come in time closes with the time that there was", () => {
    const rig = new SessionRig({ helloTimeoutMs: 400 });
    rig.clock.advance(399);
    expect(rig.connection.ends).toEqual([]);
    rig.clock.advance(1);
    expect(rig.connection.ends).toEqual(["4005 no Hello within 400 ms"]);
    expect(rig.clock.pending).toBe(0);
  });

  test("leaves no timer when the client goes without a word", () => {
    const rig = new SessionRig();
    rig.connection.goAway();
    expect(rig.clock.pending).toBe(0);
    expect(rig.gone).toBe(1);
  });
});

describe("an open session", () => {
  test("answers a ping with its nonce and the time", () => {
    const rig = openRig();
    rig.says({ ping: { nonce: 42 } });
    rig.endTurn();
    const pong = rig.messages.at(-1)?.pong;
    expect([Number(pong?.nonce), Number(pong?.serverTimeUs)]).toEqual([42, rig.clock.nowUs()]);
  });

  test("answers calls, and control before them", async () => {
    const rig = openRig();
    rig.says({ call: { callId: 1, method: "no.such/Method" } }, { ping: { nonce: 1 } });
    await rig.settle();
    expect(rig.said).toEqual(["welcome", "pong", "reply"]);
  });

  test("is told once that the gateway goes away, and served until it is dismissed", () => {
    const rig = openRig();
    rig.session.announceGoingAway(500);
    rig.session.announceGoingAway(500);
    rig.subscribe(1, TRADES);
    rig.endTurn();
    expect(rig.said).toEqual(["welcome", "notice", "subscribeResult"]);
    rig.session.dismiss();
    expect(rig.connection.ends).toEqual(["4000 the gateway is shutting down"]);
  });

  test("reads nothing of a frame behind what closed it", () => {
    const rig = openRig();
    rig.says({ hello: { protocolVersion: 1 } }, { ping: { nonce: 1 } });
    rig.endTurn();
    expect(rig.connection.ends).toEqual(["4500 a second hello"]);
    expect(rig.said).toEqual(["welcome"]);
  });

  test("gives its topics and calls back when it closes, not only when the client is gone", async () => {
    const rig = openRig();
    rig.subscribe(1, TRADES, BOOK);
    rig.connection.handler = undefined;
    rig.session.dismiss();
    expect(rig.state).toBe("closing");
    expect(rig.hub.holds).toBe(0);
    expect(await rig.metric("tickwire_gateway_subscriptions")).toBe(0);
    rig.session.onClose(4000, "");
    expect(rig.gone).toBe(1);
  });

  test("that goes while many others do ends in a later turn, and is sent nothing until then", async () => {
    const rig = openRig();
    rig.subscribe(1, TRADES);
    rig.endTurn();
    rig.fillTurn();
    rig.subscribe(2, BOOK);
    rig.connection.goAway();
    expect([rig.gone, rig.hub.holds, rig.logs.length]).toEqual([0, 1, 1]);
    const sent = rig.connection.sent.length;
    rig.hub.view(TRADES).publish(10);
    for (let turn = 0; turn < 3; turn += 1) rig.endTurn();
    expect([rig.state, rig.gone, rig.hub.holds]).toEqual(["closed", 1, 0]);
    expect(rig.connection.sent).toHaveLength(sent);
    expect(rig.logs.at(-1)).toMatch(/^session closed /);
    expect(await rig.metric("tickwire_gateway_closes_total")).toBe(1);
    expect(await rig.metric("tickwire_gateway_subscriptions")).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  test("that is to close for a fault before its end had its turn counts once, as the client's", async () => {
    const rig = openRig();
    rig.fillTurn();
    rig.connection.goAway(1001, "");
    rig.session.dismiss();
    rig.endTurn();
    expect([rig.state, rig.gone]).toEqual(["closed", 1]);
    const metric = await rig.registry.getSingleMetric("tickwire_gateway_closes_total")?.get();
    expect(metric?.values).toMatchObject([{ value: 1, labels: { code: 1001, by: "client" } }]);
  });

  test("that reads too slowly gets states as they are when it has caught up, and is not closed", () => {
    const quotes = "fake:BTC-USDT/quotes";
    const rig = openRig({ outboundBytesMax: 1_000, writeAheadBytesMax: 100 });
    rig.subscribe(1, quotes);
    rig.endTurn();
    rig.connection.stuck = true;
    rig.connection.buffered = 100;
    for (let event = 0; event < 100; event += 1) {
      rig.hub.view(quotes).publish(100);
      rig.endTurn();
    }
    expect(rig.state).toBe("open");
    rig.connection.stuck = false;
    rig.connection.buffered = 0;
    rig.session.onDrain();
    rig.endTurn();
    rig.session.onPong(rig.connection.pings.at(-1) ?? 0);
    rig.endTurn();
    rig.hub.view(quotes).publish(10);
    rig.endTurn();
    rig.endTurn();
    rig.hub.view(quotes).publish(10);
    rig.endTurn();
    expect(rig.sequencesOf(1).slice(-2)).toEqual([101, 102]);
    expect(rig.messages.filter(({ notice }) => notice?.kind === GAP)).toEqual([]);
  });

  test("to which more trades are owed than it may is told which it misses, and goes on", async () => {
    const rig = openRig({ outboundBytesMax: 1_000, writeAheadBytesMax: 100 });
    rig.subscribe(1, TRADES);
    rig.endTurn();
    rig.connection.stuck = true;
    rig.connection.buffered = 100;
    for (let event = 0; event < 100; event += 1) {
      rig.hub.view(TRADES).publish(100);
      rig.endTurn();
    }
    expect(rig.state).toBe("open");
    rig.connection.stuck = false;
    rig.connection.buffered = 0;
    rig.session.onDrain();
    rig.endTurn();
    rig.session.onPong(rig.connection.pings.at(-1) ?? 0);
    for (let turn = 0; turn < 3; turn += 1) {
      rig.hub.view(TRADES).publish(10);
      rig.endTurn();
    }
    const gaps = rig.messages.flatMap(({ notice }) => (notice?.kind === GAP ? [notice] : []));
    const missing = gaps.reduce((sum, { missingFirst, missingLast }) => {
      return sum + Number(missingLast) - Number(missingFirst) + 1;
    }, 0);
    const received = new Set(rig.sequencesOf(1)).size;
    expect([gaps.length, received + missing]).toEqual([1, rig.hub.view(TRADES).sequence]);
    expect(await rig.metric("tickwire_gateway_slow_missing_events_total")).toBe(missing);
  });

  test("that lags is told at once, counted and logged; above the limit it is closed if nothing can be given up", async () => {
    const rig = openRig({ outboundBytesMax: 1_000, writeAheadBytesMax: 100 });
    rig.subscribe(1, STATUS);
    rig.endTurn();
    rig.connection.stuck = true;
    rig.connection.buffered = 100;
    while (rig.said.length < 3) {
      rig.hub.view(STATUS).publish(100);
      rig.endTurn();
    }
    expect(rig.messages.at(-1)?.notice?.message).toMatch(
      /^\d+ bytes are waiting, the oldest for \d+ ms; above 1000 bytes events are given up, above 30000 ms this closes$/,
    );
    expect(await rig.metric("tickwire_gateway_lag_notices_total")).toBe(1);
    const told = rig.hub.view(STATUS).sequence;
    while (rig.state === "open") {
      rig.hub.view(STATUS).publish(100);
      rig.endTurn();
    }
    expect(rig.hub.view(STATUS).sequence).toBeGreaterThan(told);
    expect(rig.connection.ends[0]).toMatch(/^4001 \d+ bytes waiting exceed outboundBytesMax 1000/);
    // What was published and not sent is counted, to the event.
    expect(await rig.metric("tickwire_gateway_owed_at_end_events_total")).toBe(
      rig.hub.view(STATUS).sequence - rig.sequencesOf(1).length,
    );
  });

  test.each([
    ["pings of the WebSocket", false],
    ["probes that it answers", true],
  ])("that is behind in time is told and closed, by %s", async (_by, answersProbes) => {
    const rig = new SessionRig();
    rig.says({ hello: { protocolVersion: 1, answersProbes } });
    rig.subscribe(1, TRADES);
    rig.endTurn();
    const probes = () => rig.messages.flatMap(({ probe }) => probe?.number ?? []);
    const answer = (number: number) => {
      if (answersProbes) rig.says({ probeAnswer: { number } });
      else rig.session.onPong(number);
    };
    const asked = () => (answersProbes ? probes() : rig.connection.pings);
    rig.hub.view(TRADES).publish(10);
    rig.endTurn();
    expect(asked()).toEqual([1]);
    expect([...probes(), ...rig.connection.pings]).toHaveLength(1);
    rig.clock.advance(4_000);
    answer(1);
    rig.clock.advance(60_000);
    expect([rig.said.includes("notice"), rig.state]).toEqual([false, "open"]);
    rig.hub.view(TRADES).publish(10);
    rig.endTurn();
    rig.clock.advance(6_000);
    expect(rig.messages.at(-1)?.notice).toMatchObject({ kind: 2, lagMs: 6_000 });
    rig.clock.advance(25_000);
    expect(rig.connection.ends).toEqual(["4001 31000 ms behind exceed lagMsMax 30000"]);
    const name = "tickwire_gateway_slow_consumers_total";
    const closed = await rig.registry.getSingleMetric(name)?.get();
    expect(closed?.values).toMatchObject([{ value: 1, labels: { limit: "lagMsMax" } }]);
    expect(rig.clock.pending).toBe(0);
  });

  test.each([
    [1000, "1000"],
    [4000, "4000"],
    [4321, "other"],
  ])("that the client closes with %i is counted under %s", async (code, label) => {
    const rig = openRig();
    rig.connection.goAway(code, "bye");
    const metric = await rig.registry.getSingleMetric("tickwire_gateway_closes_total")?.get();
    expect(metric?.values.map(({ labels }) => labels)).toEqual([
      { code: label === "other" ? label : code, by: "client" },
    ]);
  });
});

type Command =
  | { readonly kind: "hello" | "ping" | "bad frame" | "going away" | "dismiss" | "cut" | "gone" }
  | { readonly kind: "turn" | "time" }
  | { readonly kind: "subscribe" | "unsubscribe" | "publish"; readonly topic: string };

const TOPICS = [TRADES, BOOK, "fake:ETH-USDT/quotes"] as const;

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("subscribe", "unsubscribe", "publish", "publish", "publish"),
      topic: fc.constantFrom(...TOPICS),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("hello", "ping", "turn", "turn") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("bad frame", "going away", "dismiss", "cut", "gone", "time"),
    }),
  },
);

/** What the rules of the protocol say, written without a table. */
class Model {
  saidHello = false;
  toldGoingAway = false;
  over = false;
  /** What each topic that is subscribed has delivered since its start. */
  readonly live = new Map<string, number[]>();

  apply(rig: SessionRig, { kind, ...rest }: Command): void {
    const topic = "topic" in rest ? rest.topic : "";
    const needsHello = kind === "ping" || kind === "subscribe" || kind === "unsubscribe";
    if (kind === "publish") {
      const sequence = rig.hub.view(topic).publish();
      if (!this.over) this.live.get(topic)?.push(sequence);
    } else if (this.over) {
      return;
    } else if (kind === "hello") {
      if (this.saidHello) this.end();
      this.saidHello = true;
    } else if (needsHello && !this.saidHello) {
      this.end();
    } else if (kind === "subscribe" && !this.live.has(topic)) {
      const { sequence } = rig.hub.view(topic);
      this.live.set(topic, sequence === 0 ? [] : [sequence]);
    } else if (kind === "unsubscribe") {
      this.live.delete(topic);
    } else if (kind === "time" && !this.saidHello) {
      this.end();
    } else if (["bad frame", "dismiss", "cut", "gone"].includes(kind)) {
      this.end();
    }
  }

  end(): void {
    this.over = true;
    this.live.clear();
  }
}

function act(rig: SessionRig, given: Command): void {
  // A transport delivers nothing of a connection that is gone.
  const fromClient = ["hello", "ping", "bad frame", "subscribe", "unsubscribe"];
  if (rig.state === "closed" && fromClient.includes(given.kind)) return;
  if (given.kind === "hello") rig.hello();
  if (given.kind === "ping") rig.says({ ping: { nonce: 1 } });
  if (given.kind === "bad frame") rig.session.onMessage(Uint8Array.of(255), true);
  if (given.kind === "subscribe") rig.subscribe(1, given.topic);
  if (given.kind === "unsubscribe") {
    rig.says({ unsubscribe: { requestId: 1, topics: [given.topic] } });
  }
  if (given.kind === "going away" && rig.state !== "closed") rig.session.announceGoingAway(1);
  if (given.kind === "dismiss") rig.session.dismiss();
  if (given.kind === "cut") rig.session.terminate();
  if (given.kind === "gone") rig.connection.goAway();
  if (given.kind === "turn") rig.endTurn();
  if (given.kind === "time") rig.clock.advance(10_000);
}

test("whatever comes in whatever order, a session keeps its rules", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const rig = new SessionRig();
      const model = new Model();
      for (const given of commands) {
        const framesBefore = rig.connection.sent.length;
        const wasOver = model.over;
        if (given.kind !== "publish") act(rig, given);
        model.apply(rig, given);
        for (const number of rig.connection.pings.splice(0)) rig.session.onPong(number);
        // It ends once, gives everything back and sends nothing more.
        expect(rig.state === "closed").toBe(model.over);
        expect(rig.gone).toBe(model.over ? 1 : 0);
        expect(rig.hub.holds).toBe(model.live.size);
        const sentMore = rig.connection.sent.length > framesBefore;
        expect(wasOver && sentMore).toBe(false);
        // The hello timer runs exactly while the session waits for Hello; nothing is under way.
        expect(rig.clock.pending).toBe(model.saidHello || model.over ? 0 : 1);
      }
      rig.endTurn();
      const said = rig.said.filter((kind) => kind !== "notice");
      expect(said[0] ?? "welcome").toBe("welcome");
      expect(said.filter((kind) => kind === "welcome").length).toBeLessThanOrEqual(1);
      // Each topic that is live has got everything since its start, once and in order.
      for (const [topic, sequences] of model.live) {
        const { id } = rig.hub.view(topic);
        const received = rig.sequencesOf(id);
        expect(received.slice(received.length - sequences.length)).toEqual(sequences);
      }
    }),
    { numRuns: 300 },
  );
});
