import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { settle } from "../../test/fake-gateway.ts";
import { ConnectionError, type TickwireError } from "../errors.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import { RequestPacer } from "../session/request-pacer.ts";
import type { SessionLink } from "../session/session-part.ts";
import { ALL_CHANNELS } from "./all-channels.ts";
import { Consumer } from "./consumer.ts";
import { Subscriptions } from "./subscriptions.ts";

type TopicResult = Extract<ServerMessage, { kind: "subscribeResult" }>["value"]["topics"][number];

const LIMITS = {
  frameBytesMax: 65_536,
  subscriptionsMax: 100,
  topicsPerRequestMax: 10,
  concurrentCallsMax: 1,
  bandwidthBytesPerSecondMax: 0,
  requestsPerSecondMax: 0,
};
const LOST = new ConnectionError("connection-lost", "lost", { retryable: true });
const OPTIONS = { depth: 0, conflationIntervalMs: 0, snapshot: true, checksum: false };

/** The venue calls its A by `a`. */
function fullName(topic: string): string {
  return topic === "v:a/trades" ? "v:A/trades" : topic;
}

/** Subscriptions over a gateway of three topics, which answers when the test says so. */
class Stand {
  readonly clock = new ManualClock();
  readonly topics = ["v:A/trades", "v:B/trades", "v:C/trades"];
  /** Topics that the gateway serves on this connection: their ids, and what subscribed them. */
  readonly served = new Map<string, { readonly topicId: number; readonly request: string }>();
  readonly inbox: ClientMessage[] = [];
  readonly requests: string[] = [];
  readonly subscriptions: Subscriptions;
  /** Topics that the gateway does not know now. */
  readonly unknown = new Set<string>();
  /** Topics that the gateway lists and cannot serve now. */
  readonly unavailable = new Map<string, TopicResult["error"]>();
  /** Topics that no pattern stands for, because nobody has listed them yet. */
  readonly unlisted = new Set<string>();
  /** Topics that were refused with a position on this connection, which the gateway keeps. */
  readonly kept = new Set<string>();
  /** How topics went on, as consumers were told. */
  readonly told = new Set<string>();
  isConnected = false;
  readonly #patterns = new Map<string, { readonly requestId: number; readonly index: number }>();
  #nextTopicId = 1;

  constructor() {
    const link: SessionLink = {
      clock: this.clock,
      random: () => 0.5,
      backoff: { baseMs: 1_000, maxMs: 8_000 },
      pacer: new RequestPacer(this.clock),
      send: (messages) => this.#receive(messages),
      // The last resort, which the session makes good by connecting again.
      reconnect: () => this.disconnect(),
      watchVisibility: () => () => undefined,
      nextFrame: () => () => undefined,
      reportUncaught: () => undefined,
    };
    this.subscriptions = new Subscriptions(link, ALL_CHANNELS);
  }

  #receive(messages: readonly ClientMessage[]): void {
    this.inbox.push(...messages);
    for (const { kind, value } of messages) {
      if (kind === "subscribe") {
        this.requests.push(`+ ${value.topics?.map(({ topic }) => topic).join(" ")}`);
      } else if (kind === "unsubscribe") {
        this.requests.push(`- ${value.topics?.join(" ")}`);
      }
    }
  }

  connect(): void {
    if (this.isConnected) return;
    this.isConnected = true;
    this.served.clear();
    this.kept.clear();
    this.#patterns.clear();
    this.inbox.length = 0;
    this.subscriptions.handleConnected(LIMITS);
  }

  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.inbox.length = 0;
    this.subscriptions.handleDisconnected();
  }

  /** The gateway works off the oldest message. False if there is none. */
  answer(): boolean {
    const message = this.inbox.shift();
    if (message?.kind === "subscribe") {
      const { requestId = 0, topics = [] } = message.value;
      const results = topics.flatMap(({ topic = "", resume }, index) => {
        if (resume !== undefined) this.kept.add(fullName(topic));
        const names = this.#matching(topic);
        // A pattern that stands for nothing is refused itself, and does not grow.
        if (names.length === 0) return [this.#result(topic, topic, index)];
        if (topic.includes("*")) this.#patterns.set(topic, { requestId, index });
        return names.map((name) => this.#result(name, topic, index));
      });
      const value = { requestId, topics: results, isPartial: false };
      this.subscriptions.handleMessage({ kind: "subscribeResult", value });
    } else if (message?.kind === "unsubscribe") {
      for (const topic of message.value.topics ?? []) {
        this.kept.delete(fullName(topic));
        this.#patterns.delete(topic);
        // A pattern takes the topics with it that it subscribed.
        for (const [name, { request }] of this.served) {
          if (name === fullName(topic) || request === topic) this.served.delete(name);
        }
      }
    }
    return message !== undefined;
  }

  /** What a name or pattern stands for now. */
  #matching(topic: string): string[] {
    if (!topic.includes("*")) return [fullName(topic)];
    const matches = (name: string) => topic === "v:*/trades" || name === "v:A/trades";
    return this.topics.filter(
      (name) => matches(name) && !this.unknown.has(name) && !this.unlisted.has(name),
    );
  }

  /** What becomes of a topic; one that is listed now joins the patterns that stand for it. */
  change(topic: string, state: "unlisted" | TopicResult["error"] | undefined): void {
    const wasUnlisted = this.unlisted.delete(topic);
    this.unavailable.delete(topic);
    if (state === "unlisted") this.unlisted.add(topic);
    else if (state !== undefined) this.unavailable.set(topic, state);
    if (!wasUnlisted || state === "unlisted" || !this.isConnected) return;
    for (const [pattern, { requestId, index }] of this.#patterns) {
      if (this.served.has(topic) || !this.#matching(pattern).includes(topic)) continue;
      const topics = [this.#result(topic, pattern, index)];
      this.subscriptions.handleMessage({
        kind: "subscribeResult",
        value: { requestId, topics, isPartial: false },
      });
    }
  }

  #result(topic: string, request: string, requestIndex: number): TopicResult {
    const known = this.served.get(topic)?.topicId;
    const isNothing = topic.includes("*") || this.unlisted.has(topic);
    const error = this.unknown.has(topic)
      ? "TOPIC_ERROR_UNKNOWN_SYMBOL"
      : isNothing
        ? "TOPIC_ERROR_NOT_READY"
        : (this.unavailable.get(topic) ??
          (known === undefined ? "TOPIC_ERROR_UNSPECIFIED" : "TOPIC_ERROR_ALREADY_SUBSCRIBED"));
    const topicId = error === "TOPIC_ERROR_UNSPECIFIED" ? this.#nextTopicId++ : (known ?? 0);
    const isGranted = error === "TOPIC_ERROR_UNSPECIFIED";
    const isResumed = isGranted && this.kept.delete(topic);
    if (isGranted) this.served.set(topic, { topicId, request });
    return {
      requestIndex,
      topic,
      error,
      errorMessage: "",
      topicId,
      venue: "v",
      symbol: topic.slice(2, 3),
      venueSymbol: "",
      channel: "CHANNEL_TRADES",
      position: { epoch: 1, sequence: 0 },
      continuity: isResumed ? "CONTINUITY_RESUMED" : "CONTINUITY_NEW",
      depth: 0,
      conflationIntervalMs: 0,
      ended: undefined,
      alternatives: [],
      candleIntervalsMs: [],
      recovered: 0,
      depthMax: 0,
    };
  }

  attach(topics: readonly string[], ended: (error: TickwireError | undefined) => void): Consumer {
    const consumer = new Consumer(topics, {
      end: ended,
      notice: (notice) => {
        if (notice.type === "continuity") this.told.add(notice.continuity);
      },
    });
    this.subscriptions.attach(topics, OPTIONS, consumer, () => undefined);
    return consumer;
  }

  /** Until nobody has anything to say. */
  async quiet(): Promise<void> {
    await settle();
    while (this.answer()) await settle();
  }
}

const ignore = () => undefined;

describe("subscriptions", () => {
  test("ask again for a topic of a pattern that its ingestor does not know yet", async () => {
    const stand = new Stand();
    stand.change("v:C/trades", "TOPIC_ERROR_NOT_READY");
    stand.connect();
    stand.attach(["v:*/trades"], ignore);
    await stand.quiet();
    // It is listed all the time, so that the pattern does not grow.
    stand.change("v:C/trades", undefined);
    stand.clock.advance(10_000);
    await stand.quiet();
    expect([...stand.served.keys()].sort()).toEqual(["v:A/trades", "v:B/trades", "v:C/trades"]);
  });

  test("go on asking for a pattern when who asked for its topic by name has left", async () => {
    const stand = new Stand();
    stand.change("v:B/trades", "TOPIC_ERROR_UNAVAILABLE");
    stand.connect();
    const leaving = stand.attach(["v:B/trades"], ignore);
    stand.attach(["v:*/trades"], ignore);
    await stand.quiet();
    leaving.close(undefined);
    stand.change("v:B/trades", undefined);
    stand.clock.advance(10_000);
    await stand.quiet();
    expect([...stand.served.keys()].sort()).toEqual(["v:A/trades", "v:B/trades", "v:C/trades"]);
  });

  test("leave it to a pattern to bring what is listed later", async () => {
    const stand = new Stand();
    stand.change("v:C/trades", "unlisted");
    stand.connect();
    stand.attach(["v:*/trades"], ignore);
    await stand.quiet();
    stand.clock.advance(10_000);
    stand.change("v:C/trades", undefined);
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:*/trades"]);
    expect(stand.served.size).toBe(3);
  });

  test("ask for everything of one turn in one request", async () => {
    const stand = new Stand();
    stand.connect();
    stand.attach(["v:A/trades"], ignore);
    stand.attach(["v:B/trades", "v:C/trades"], ignore);
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:A/trades v:B/trades v:C/trades"]);
    expect(stand.served.size).toBe(3);
  });

  test("ask once for a topic that several want, and give it up with the last", async () => {
    const stand = new Stand();
    stand.connect();
    const first = stand.attach(["v:A/trades"], ignore);
    const second = stand.attach(["v:A/trades"], ignore);
    await stand.quiet();
    first.close(undefined);
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:A/trades"]);
    second.close(undefined);
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:A/trades", "- v:A/trades"]);
    expect(stand.served.size).toBe(0);
  });

  test("ask again for everything on the next connection, and not for what is over", async () => {
    const stand = new Stand();
    stand.connect();
    stand.attach(["v:A/trades"], ignore);
    stand.attach(["v:B/trades"], ignore).close(undefined);
    await stand.quiet();
    stand.disconnect();
    stand.connect();
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:A/trades", "+ v:A/trades"]);
  });

  test("by a venue's own symbol are those of the full topic, which is asked for by name afterwards", async () => {
    const stand = new Stand();
    stand.connect();
    const seen: string[] = [];
    const consumer = new Consumer(["v:a/trades"], {
      end: ignore,
      notice: (notice) => seen.push("topic" in notice ? notice.topic : notice.type),
    });
    stand.subscriptions.attach(["v:a/trades"], OPTIONS, consumer, ignore);
    await stand.quiet();
    expect(seen).toEqual(["v:A/trades"]);
    stand.disconnect();
    stand.connect();
    await stand.quiet();
    expect(stand.requests).toEqual(["+ v:a/trades", "+ v:A/trades v:a/trades"]);
    consumer.close(undefined);
    await stand.quiet();
    expect(stand.served.size).toBe(0);
  });

  test("do not give up by a venue's own symbol what nobody asked for by it", async () => {
    const stand = new Stand();
    const alias = stand.attach(["v:a/trades"], ignore);
    stand.attach(["v:A/trades"], ignore);
    const pattern = stand.attach(["v:*/trades"], ignore);
    alias.close(undefined);
    stand.connect();
    await stand.quiet();
    pattern.close(undefined);
    await stand.quiet();
    expect([...stand.served.keys()]).toEqual(["v:A/trades"]);
  });

  test.each(["TOPIC_ERROR_UNAVAILABLE", "TOPIC_ERROR_NOT_READY"] as const)(
    "go on asking for what is %s",
    async (error) => {
      const stand = new Stand();
      stand.unavailable.set("v:A/trades", error);
      stand.connect();
      const errors: (TickwireError | undefined)[] = [];
      stand.attach(["v:A/trades"], (end) => errors.push(end));
      await stand.quiet();
      stand.unavailable.clear();
      stand.clock.advanceTo(stand.clock.nextUs ?? 0);
      await stand.quiet();
      expect([errors, [...stand.served.keys()]]).toEqual([[], ["v:A/trades"]]);
    },
  );

  test("refuse other options for a topic that runs", () => {
    const stand = new Stand();
    stand.attach(["v:A/trades"], ignore);
    const other = new Consumer(["v:A/trades"], { end: ignore });
    expect(() =>
      stand.subscriptions.attach(["v:A/trades"], { ...OPTIONS, depth: 5 }, other, ignore),
    ).toThrow(expect.objectContaining({ code: "options-conflict" }));
  });

  test("end who asked for a topic that does not exist, with the gateway's reason", async () => {
    const stand = new Stand();
    stand.unknown.add("v:A/trades");
    stand.connect();
    const errors: (TickwireError | undefined)[] = [];
    stand.attach(["v:A/trades"], (error) => errors.push(error));
    await stand.quiet();
    expect(errors).toEqual([expect.objectContaining({ code: "topic-unknown-symbol" })]);
    stand.disconnect();
    stand.connect();
    await stand.quiet();
    expect(stand.requests.filter((request) => request.startsWith("+"))).toHaveLength(1);
  });

  test("try again for a topic that is not available, longer and longer", async () => {
    const stand = new Stand();
    stand.unavailable.set("v:A/trades", "TOPIC_ERROR_UNAVAILABLE");
    stand.connect();
    stand.attach(["v:A/trades"], ignore);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      await stand.quiet();
      waits.push(((stand.clock.nextUs ?? NaN) - stand.clock.nowUs()) / 1_000);
      stand.clock.advanceTo(stand.clock.nextUs ?? 0);
    }
    expect(waits).toEqual([550, 1_050, 2_050, 4_050]);
    stand.unavailable.clear();
    await stand.quiet();
    expect(stand.served.size).toBe(1);
    expect(stand.clock.pending).toBe(0);
  });

  test("of a client that is over end every consumer, by the reason if there is one", () => {
    for (const isFailure of [true, false]) {
      const stand = new Stand();
      const errors: (TickwireError | undefined)[] = [];
      stand.attach(["v:A/trades", "v:*/trades"], (error) => errors.push(error));
      stand.subscriptions.close(LOST, isFailure);
      expect(errors).toEqual([isFailure ? LOST : undefined]);
    }
  });

  test("count a batch that was never asked for, and none that was given up just now", async () => {
    const stand = new Stand();
    stand.connect();
    const consumer = stand.attach(["v:A/trades"], ignore);
    await stand.quiet();
    const batch = (topicId: number) => Uint8Array.of(0x08, topicId);
    consumer.close(undefined);
    stand.subscriptions.handleBatch(batch(1), 0, 2);
    expect(stand.subscriptions.counters.unknownTopicBatches).toBe(0);
    stand.subscriptions.handleBatch(batch(99), 0, 2);
    expect(stand.subscriptions.counters.unknownTopicBatches).toBe(1);
  });

  test("ask again for a topic whose batch cannot be read, and for no other", async () => {
    const stand = new Stand();
    stand.connect();
    stand.attach(["v:A/trades"], ignore);
    stand.attach(["v:B/trades"], ignore);
    await stand.quiet();
    // A topic id and an empty base, but no times.
    stand.subscriptions.handleBatch(Uint8Array.of(0x08, 1, 0x3a, 0), 0, 4);
    await stand.quiet();
    expect(stand.isConnected).toBe(true);
    expect(stand.requests.slice(1)).toEqual(["- v:A/trades", "+ v:A/trades"]);
  });
});

const wish = fc.constantFrom("v:A/trades", "v:a/trades", "v:B/trades", "v:*/trades", "*:A/trades");
const step = fc.oneof(
  fc.record({
    kind: fc.constant("attach" as const),
    topics: fc.uniqueArray(wish, { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant("leave" as const), index: fc.nat(5) }),
  fc.record({
    kind: fc.constantFrom("answer" as const, "connect" as const, "disconnect" as const),
  }),
  fc.record({
    kind: fc.constant("change" as const),
    topic: fc.constantFrom("v:A/trades", "v:B/trades", "v:C/trades"),
    state: fc.constantFrom(
      "TOPIC_ERROR_UNAVAILABLE" as const,
      "TOPIC_ERROR_NOT_READY" as const,
      "unlisted" as const,
      undefined,
    ),
  }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
);

/** Failures print the seed that leads to them again. */
const LIVES = 2_000;

test("whoever comes and goes, the gateway ends up serving exactly what is wanted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const stand = new Stand();
      let consumers: { readonly consumer: Consumer; readonly topics: readonly string[] }[] = [];
      for (const given of steps) {
        if (given.kind === "attach") {
          const { topics } = given;
          consumers.push({ topics, consumer: stand.attach(topics, ignore) });
        } else if (given.kind === "leave") {
          const leaving = consumers[given.index];
          leaving?.consumer.close(undefined);
          consumers = consumers.filter((one) => one !== leaving);
        } else if (given.kind === "answer") stand.answer();
        else if (given.kind === "wait") stand.clock.advance(given.ms);
        else if (given.kind === "change") stand.change(given.topic, given.state);
        else stand[given.kind]();
        await settle();
      }
      for (const topic of stand.topics) stand.change(topic, undefined);
      do {
        stand.connect();
        await stand.quiet();
        stand.clock.advance(10_000);
        await stand.quiet();
      } while (!stand.isConnected);
      const wanted = new Set(consumers.flatMap(({ topics }) => topics.map(fullName)));
      if (wanted.delete("*:A/trades")) wanted.add("v:A/trades");
      if (wanted.delete("v:*/trades")) stand.topics.forEach((topic) => wanted.add(topic));
      expect(new Set(stand.served.keys())).toEqual(wanted);
      expect(consumers.every(({ consumer }) => !consumer.closed)).toBe(true);
      // Whatever was refused meanwhile, no topic with a position was started anew; but who leaves a
      // topic by its venue's symbol takes it along for everybody, and it begins anew.
      const isByVenueSymbol = stand.requests.some((request) => request.includes("v:a/trades"));
      expect(stand.told.has("replaced") && !isByVenueSymbol).toBe(false);
    }),
    { numRuns: LIVES },
  );
});
