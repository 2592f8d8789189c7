import assert from "node:assert/strict";
import { connect, type Client, type Subscription } from "@tickwire/client";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { Channel } from "#core/instrument.ts";
import { LossyBus } from "#test/support/lossy-bus.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

// The accounting of subscriptions over real sockets, driven at random: topics of three channels,
// views, updates, connections that are cut, events that the bus loses. For each subscription, what
// was delivered, conflated and said to be missing is what was published since it started; what the
// client says of itself is what a program that listens has counted, and what the gateway counted.

const SYMBOLS = ["BTC-USDT", "ETH-USDT"] as const;
const CHANNELS = ["trades", "quotes", "book"] as const;
const TOPICS = SYMBOLS.flatMap((symbol) => CHANNELS.map((channel) => ({ symbol, channel })));
const WAIT_TURNS_MAX = 5_000;
/** The gateway's time jumps while a client, which keeps to real time, is on its way. */
const PATIENT = {
  lagNoticeMs: 3_600_000,
  lagMsMax: 7_200_000,
  topicLingerMs: 3_600_000,
  idleTimeoutMs: 960_000,
};
/** Longer in all than views take; then more slowly, for questions that are asked again. */
const STEP_MS = 500;
const STEPS = 25;
const TURNS_PER_LATE_STEP = 10;

const INDEX = fc.integer({ min: 0, max: TOPICS.length - 1 });
const VIEW = fc.record({
  depth: fc.constantFrom(0, 1, 5, 100),
  conflationIntervalMs: fc.constantFrom(0, 50, 250, 1_000, 10_000),
});
const COUNT = fc.integer({ min: 1, max: 8 });
const COMMAND = fc.oneof(
  { weight: 6, arbitrary: fc.record({ publish: INDEX, count: COUNT }) },
  { weight: 3, arbitrary: fc.record({ waitMs: fc.constantFrom(10, 60, 300, 1_000) }) },
  { weight: 3, arbitrary: fc.record({ update: INDEX, view: VIEW }) },
  { weight: 2, arbitrary: fc.record({ lose: INDEX, count: COUNT }) },
  { weight: 1, arbitrary: fc.record({ cutWhile: INDEX, count: COUNT }) },
);
type Command = typeof COMMAND extends fc.Arbitrary<infer One> ? One : never;
const STORY = fc.record({
  views: fc.array(VIEW, { minLength: TOPICS.length, maxLength: TOPICS.length }),
  commands: fc.array(COMMAND, { minLength: 4, maxLength: 25 }),
});

type Topic = (typeof TOPICS)[number];

/** A client of every topic, and the market that it follows. */
class Stand {
  readonly rig: Rig;
  readonly #bus: LossyBus;
  readonly #closeBuses: () => Promise<void>;
  readonly #ledgers: StreamLedger[] = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #sockets: WebSocket[] = [];
  /** Where each topic was subscribed. */
  readonly #starts: number[] = [];
  #client!: Client;
  #price = 0;

  private constructor(rig: Rig, bus: LossyBus, closeBuses: () => Promise<void>) {
    this.rig = rig;
    this.#bus = bus;
    this.#closeBuses = closeBuses;
  }

  static async open(
    transport: "uws" | "node",
    server: NatsServer | undefined,
    views: readonly { readonly depth: number; readonly conflationIntervalMs: number }[],
  ): Promise<Stand> {
    const servers = server?.url;
    const ingestor =
      servers === undefined
        ? new MemoryBus({ clock: new ManualClock() })
        : await connectNatsBus({ servers });
    const gateway = servers === undefined ? ingestor : await connectNatsBus({ servers });
    const bus = new LossyBus(gateway);
    const config = { requestsPerSecondMax: 100_000, ...PATIENT };
    const rig = await Rig.start(transport, { config, buses: { gateway: bus, ingestor } });
    const stand = new Stand(rig, bus, () => ingestor.close());
    await stand.#connect(views);
    return stand;
  }

  async #connect(views: readonly object[]): Promise<void> {
    const { rig } = this;
    await this.until(async () => {
      rig.ingestor.announce();
      await rig.settle();
      return rig.gateway.notReadyReasons().length === 0;
    }, "the market");
    for (const topic of TOPICS) this.#publish(topic, 1);
    const sockets = this.#sockets;
    class KeptSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    this.#client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      pingIntervalMs: 0,
      webSocket: KeptSocket,
      reconnect: { baseMs: 1, maxMs: 1 },
    });
    let started = 0;
    for (const [index, { symbol, channel }] of TOPICS.entries()) {
      const ledger = new StreamLedger({ isConflated: true });
      const note = (event: Parameters<StreamLedger["take"]>[0]): void => {
        ledger.take(event);
        if (event.type !== "continuity" || event.continuity !== "new") return;
        this.#starts[index] = event.sequence;
        started += 1;
      };
      this.#ledgers.push(ledger);
      const topic = `fake:${symbol}/${channel}`;
      this.#subscriptions.push(this.#client.subscribe(topic, note, views[index]));
    }
    await this.until(() => started === TOPICS.length, "the starts");
  }

  async obey(command: Command): Promise<void> {
    if ("publish" in command) this.#publish(TOPICS[command.publish]!, command.count);
    else if ("waitMs" in command) this.rig.clock.advance(command.waitMs);
    else if ("update" in command) this.#subscriptions[command.update]!.update(command.view);
    else if ("lose" in command) await this.#lose(TOPICS[command.lose]!, command.count);
    else await this.#cut(TOPICS[command.cutWhile]!, command.count);
    await this.rig.settle();
  }

  /** The connection is lost when the client has all, and events come before it is back. */
  async #cut(topic: Topic, count: number): Promise<void> {
    await this.catchUp();
    let isBack = false;
    let wasGone = false;
    const stop = this.#client.onState((state) => {
      if (state === "reconnecting") wasGone = true;
      if (state === "connected" && wasGone) isBack = true;
    });
    this.#sockets.at(-1)?.terminate();
    // What it is sent meanwhile would be counted, and be sent again.
    const left = (): number => this.rig.gateway.sessions - (isBack ? 1 : 0);
    await this.until(() => left() === 0, "word of the cut");
    this.#publish(topic, count);
    await this.until(() => isBack, "the connection");
    stop();
    await this.catchUp();
  }

  #publish({ symbol, channel }: Topic, count: number): void {
    const { ingestor } = this.rig;
    for (let event = 0; event < count; event += 1) {
      this.#price += 1;
      const price = 9_000 + ((this.#price * 7) % 40);
      if (channel === "trades") ingestor.publish([ingestor.trade(symbol, price)]);
      else if (channel === "quotes") ingestor.publish([ingestor.quote(symbol, price)]);
      else ingestor.publish([ingestor.book(symbol, price, 1 + (this.#price % 5))]);
    }
  }

  /** An event that every view shows: of a book, a bid that is better than all before. */
  #publishBest(topic: Topic): void {
    const { ingestor } = this.rig;
    this.#price += 1;
    if (topic.channel !== "book") this.#publish(topic, 1);
    else ingestor.publish([ingestor.book(topic.symbol, 100_000 + this.#price, 1)]);
  }

  /** The bus loses events, and what follows shows it. */
  async #lose(topic: Topic, count: number): Promise<void> {
    await this.catchUp();
    const lost = eventSubject({ venue: "fake", ...topic });
    const before = this.#bus.lostEvents.get(lost) ?? 0;
    this.#bus.loses = (subject) => subject === lost;
    this.#publish(topic, count);
    await this.until(() => (this.#bus.lostEvents.get(lost) ?? 0) === before + count, "the loss");
    this.#bus.loses = () => false;
    this.#publish(topic, 1);
    await this.catchUp();
  }

  /** Until the client has, of every topic, all that was published. */
  async catchUp(): Promise<void> {
    for (const topic of TOPICS) this.#publishBest(topic);
    let steps = 0;
    await this.until(async () => {
      await this.rig.settle();
      const isDue = steps < STEPS || steps % TURNS_PER_LATE_STEP === 0;
      if (isDue) this.rig.clock.advance(STEP_MS);
      steps += 1;
      return TOPICS.every((topic, index) => this.#ledgers[index]!.sequence === this.#end(topic));
    }, "all that was published");
  }

  #end({ symbol, channel }: { readonly symbol: string; readonly channel: Channel }): number {
    return this.rig.ingestor.position(channel, symbol);
  }

  async check(): Promise<void> {
    await this.catchUp();
    const sums = { delivered: 0, conflated: 0, missing: 0 };
    for (const [index, topic] of TOPICS.entries()) {
      const ledger = this.#ledgers[index]!;
      const { delivered, conflated, missing } = ledger.totals();
      const published = this.#end(topic) - this.#starts[index]!;
      assert.deepEqual([ledger.faults, delivered + conflated + missing], [[], published]);
      if (topic.channel === "trades") assert.equal(conflated, 0);
      sums.delivered += delivered;
      sums.conflated += conflated;
      // A book that lost events is replaced, and what came meanwhile is not counted one by one.
      if (topic.channel !== "book") sums.missing += missing;
    }
    assert.equal(this.#client.counters.conflatedEvents, sums.conflated);
    assert.equal(await this.#counted("conflated_events", CHANNELS), sums.conflated);
    const lost = await this.#counted("bus_missing_events", ["trades", "quotes"]);
    const late = await this.#counted("undelivered_events", ["trades", "quotes"]);
    assert.equal(lost + late, sums.missing);
  }

  /** What the gateway has counted of these channels. */
  async #counted(name: string, channels: readonly string[]): Promise<number> {
    const metric = await this.rig.registry.getSingleMetric(`tickwire_gateway_${name}_total`)?.get();
    const values = (metric?.values ?? []) as readonly {
      readonly value: number;
      readonly labels: { readonly channel?: string };
    }[];
    const own = values.filter(({ labels }) => channels.includes(labels.channel ?? ""));
    return own.reduce((sum, { value }) => sum + value, 0);
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.rig.stop();
    await this.#closeBuses();
  }

  async until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (let turn = 0; turn < WAIT_TURNS_MAX; turn += 1) {
      if (await isSo()) return;
      await this.rig.settle();
    }
    throw new Error(`${what} did not come`);
  }
}

/** Runs one story from its start to its books. */
async function tell(
  transport: "uws" | "node",
  server: NatsServer | undefined,
  { views, commands }: { readonly views: readonly never[]; readonly commands: readonly Command[] },
): Promise<void> {
  const stand = await Stand.open(transport, server, views);
  try {
    for (const command of commands) await stand.obey(command);
    await stand.check();
  } finally {
    await stand.close();
  }
}

describe.each(TRANSPORTS)("every event of a subscription is accounted for over %s", (transport) => {
  test("and the bus in memory", async () => {
    const property = fc.asyncProperty(STORY, (story) => tell(transport, undefined, story as never));
    await expect(fc.assert(property, { numRuns: 15 })).resolves.toBeUndefined();
  }, 240_000);

  test.skipIf(requireNatsServer() === undefined)(
    "and NATS",
    async () => {
      const server = await startNatsServer();
      try {
        const property = fc.asyncProperty(STORY, (story) =>
          tell(transport, server, story as never),
        );
        await expect(fc.assert(property, { numRuns: 6 })).resolves.toBeUndefined();
      } finally {
        await server.stop();
      }
    },
    240_000,
  );
});
