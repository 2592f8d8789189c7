import type { Instrument } from "@tickwire/proto/service";
import { tickwire } from "@tickwire/proto/protobufjs";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { fakeCatalog, FakeHub, listedInstrument } from "#test/support/fake-topics.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import type { Principal } from "../access/principal.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { Turns } from "../turns/turns.ts";
import { FrameBuffer } from "./outbound/frame-buffer.ts";
import { TopicLanes } from "./outbound/topic-lanes.ts";
import { FanOut } from "../topics/fan-out.ts";
import { PrincipalAccounts } from "./principal-accounts.ts";
import { Subscriptions } from "./subscriptions.ts";
import { SubscriptionTable } from "./topic-subscription.ts";
import type { TopicResultInit } from "./wire-messages.ts";
import { NO_LANE_LISTENER } from "#test/support/no-lane-listener.ts";

const BTC = "fake:BTC-USDT/trades";
const ETH = "fake:ETH-USDT/trades";
/** Subscriptions of all sessions together. */
const ROWS_MAX = 100;
const LIMITS = { subscriptionsMax: 4, topicsPerRequestMax: 6 };

let hub: FakeHub;
let clock: ManualClock;
let registry: Registry;
let listed: ReturnType<typeof instruments>;
let answers: string[];
let results: TopicResultInit[];
let alternatives: string[];
let messages: string[];
let isLost: boolean;
let takenBack: number[];
let lanes: TopicLanes;
let topicsLeft: number;
let refusedRequests: number;
let turnEnds: (() => void)[];
let nowUs: number;
/** Time that goes by whenever somebody looks at the clock. */
let stepUs: number;
let principal: Principal;
let subscriptions: Subscriptions;
let table: SubscriptionTable;

const instruments = (...symbols: string[]) =>
  new Map(symbols.map((symbol) => [symbol, listedInstrument(symbol)] as const));

beforeEach(() => {
  hub = new FakeHub();
  principal = ANYBODY;
  clock = new ManualClock();
  registry = new Registry();
  listed = instruments("BTC-USDT", "ETH-USDT");
  answers = [];
  results = [];
  alternatives = [];
  isLost = false;
  messages = [];
  takenBack = [];
  topicsLeft = 1_000;
  refusedRequests = 0;
  lanes = new TopicLanes(NO_LANE_LISTENER, new FanOut({ fullLists: { inc() {} } as never }));
  turnEnds = [];
  nowUs = 0;
  stepUs = 0;
  const turns = new Turns({
    clock: {
      nowUs: () => (nowUs += stepUs),
      monotonicUs: () => (nowUs += stepUs),
      after: () => () => {},
    },
    scheduler: { endOfTurn: (callback) => void turnEnds.push(callback) },
  });
  const metrics = createGatewayMetrics(registry);
  table = new SubscriptionTable({ metrics, rowsMax: ROWS_MAX });
  subscriptions = new Subscriptions(
    {
      hub: hub.asHub,
      catalog: Object.assign(fakeCatalog(listed), {
        lostSinceUs: () => (isLost ? 1 : undefined),
      }),
      clock,
      looks: { take: () => 0 },
      metrics,
      table,
      config: LIMITS,
      accounts: new PrincipalAccounts(createGatewayMetrics(new Registry())),
    },
    {
      takeTopics: (topics) => {
        if (topics > topicsLeft) return false;
        topicsLeft -= topics;
        return true;
      },
      onTooManyTopics: () => void (refusedRequests += 1),
      line: turns.open(),
      get principal() {
        return principal;
      },
      onWorkDone: () => {},
      bandwidthBytesPerSecondMax: 0,
    },
    {
      subscribeResult: (id, given) => {
        results.push(...given);
        messages.push(...given.map(({ errorMessage }) => errorMessage ?? ""));
        answers.push(`${id}: ${given.map(summary).join()}`);
        alternatives.push(...given.map(({ alternatives: names = [] }) => names.join(" ")));
      },
      unsubscribeResult: (id, results) =>
        void answers.push(`${id} off: ${results.map(summary).join()}`),
      lanes,
      takeBack: (left) => void takenBack.push(...left),
      shed: (topicIds) => lanes.shed(topicIds),
      limited: (pattern) => void answers.push(`limited ${pattern}`),
      queuedBytes: () => lanes.end,
    },
  );
});

/** `0 topic` for a topic that is had, `0 topic REASON` for one that is not. */
function summary({ requestIndex, topic, error }: TopicResultInit): string {
  const reason = error?.replace("TOPIC_ERROR_", "") ?? "";
  return `${requestIndex} ${topic} ${reason}`.trim();
}

function catalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
  const bySymbol = new Map(added.map((instrument) => [instrument.symbol, instrument]));
  subscriptions.onCatalogChanged({ venue: "fake", added: bySymbol, removed });
}

function subscribe(requestId: number, ...topics: string[]): void {
  subscriptions.subscribe({
    requestId,
    topics: topics.map((topic) => ({ ...PLAIN, topic })),
  });
}

const PLAIN = {
  depth: 0,
  conflationIntervalMs: 0,
  snapshot: "SNAPSHOT_MODE_UNSPECIFIED" as const,
  resume: undefined,
  checksum: false,
};

/** Asks for one topic with options. */
function subscribeWith(
  requestId: number,
  topic: string,
  options: Partial<Omit<Parameters<Subscriptions["subscribe"]>[0]["topics"][number], "topic">>,
): void {
  subscriptions.subscribe({ requestId, topics: [{ ...PLAIN, topic, ...options }] });
}

function unsubscribe(requestId: number, ...topics: string[]): void {
  subscriptions.unsubscribe({ requestId, topics });
}

/** What leaves next, read by protobufjs. */
function nextFrame(): tickwire.v1.ServerFrame {
  const frame = new FrameBuffer();
  lanes.consume(lanes.fill(frame));
  return tickwire.v1.ServerFrame.decode(frame.bytes);
}

async function metric(name: string): Promise<number> {
  const read = await registry.getSingleMetric(name)?.get();
  return (read?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

describe("a request", () => {
  test("gets a result for each topic, and one bad topic does not fail the others", () => {
    subscribe(1, BTC, "nonsense", "fake:XYZ-USDT/trades", BTC, ETH);
    expect(answers).toEqual([
      `1: 0 ${BTC},1 nonsense MALFORMED,2 fake:XYZ-USDT/trades UNKNOWN_SYMBOL,` +
        `3 ${BTC} ALREADY_SUBSCRIBED,4 ${ETH}`,
    ]);
    expect(subscriptions.size).toBe(2);
    expect(hub.holds).toBe(2);
  });

  test("is answered when the last of its views is ready, and after those before it", () => {
    hub.ready = false;
    subscribe(1, BTC, ETH);
    hub.view("fake:BTC-USDT/quotes").ready = true;
    subscribe(2, "fake:BTC-USDT/quotes");
    unsubscribe(3, BTC);
    hub.view(ETH).getReady();
    expect(answers).toEqual([]);
    hub.view(BTC).getReady();
    expect(answers).toEqual([
      `1: 0 ${BTC},1 ${ETH}`,
      "2: 0 fake:BTC-USDT/quotes",
      `3 off: 0 ${BTC}`,
    ]);
  });

  test.each([
    ["unknown", "NOT_READY"],
    ["unavailable", "UNAVAILABLE"],
  ] as const)("for a view that turns out %s says so, and holds it no more", async (kind, error) => {
    hub.ready = { kind, message: "because" };
    subscribe(1, BTC);
    expect(answers).toEqual([`1: 0 ${BTC} ${error}`]);
    expect(hub.holds).toBe(0);
    expect(await metric("tickwire_gateway_topic_errors_total")).toBe(1);
  });

  test.each([1, 2, 3])("finds room for two topics beside all others: %i is asked for", (count) => {
    for (let row = 0; row < ROWS_MAX - 2; row += 1) table.take();
    const topics = [BTC, ETH, "fake:BTC-USDT/quotes"].slice(0, count);
    subscribe(1, ...topics);
    const said = topics.map((topic, at) => `${at} ${topic}${at === 2 ? " UNAVAILABLE" : ""}`);
    expect(answers).toEqual([`1: ${said.join()}`]);
    expect([subscriptions.size, hub.holds]).toEqual([Math.min(count, 2), Math.min(count, 2)]);
    unsubscribe(2, BTC);
    subscribe(3, "fake:ETH-USDT/quotes");
    expect(answers.at(-1)).toBe("3: 0 fake:ETH-USDT/quotes");
  });

  test("takes the venue's own symbol, and answers with Tickwire's", () => {
    subscribe(1, "fake:btc-usdt/trades");
    subscribe(2, BTC);
    expect(answers).toEqual([`1: 0 ${BTC}`, `2: 0 ${BTC} ALREADY_SUBSCRIBED`]);
    unsubscribe(3, "fake:btc-usdt/trades");
    expect(answers.at(-1)).toBe("3 off: 0 fake:btc-usdt/trades");
    expect(hub.holds).toBe(0);
  });

  test("looks for the nearest names of five unknown symbols, and says of the rest that they are unknown", () => {
    const near = (count: number) => Array.from({ length: count }, () => "fake:BTC-USD/trades");
    subscribe(1, ...near(6));
    expect(alternatives).toEqual([...Array<string>(5).fill("BTC-USDT"), ""]);
    expect(topicsLeft).toBe(1_000 - 6 - 5 * 20);
  });

  test("that has used up its topics is answered without the nearest names", () => {
    topicsLeft = 20;
    subscribe(1, "fake:BTC-USD/trades");
    expect(alternatives).toEqual([""]);
    topicsLeft = 21;
    subscribe(2, "fake:BTC-USD/trades");
    expect(alternatives).toEqual(["", "BTC-USDT"]);
  });

  test("for a topic that an earlier request is still getting is refused when that has it", () => {
    hub.ready = false;
    subscribe(1, BTC);
    subscribe(2, BTC);
    hub.view(BTC).getReady();
    expect(answers).toEqual([`1: 0 ${BTC}`, `2: 0 ${BTC} ALREADY_SUBSCRIBED`]);
    expect(hub.holds).toBe(1);
  });

  test("is answered in parts where a view is not ready soon, which holds up nobody else", () => {
    hub.ready = false;
    const dead = hub.view(ETH);
    hub.ready = true;
    subscribe(1, ETH, BTC);
    subscribe(2, "fake:BTC-USDT/quotes");
    expect(answers).toEqual([]);
    clock.advance(100);
    expect(answers).toEqual([`1: 1 ${BTC}`, "2: 0 fake:BTC-USDT/quotes"]);
    expect(subscriptions.size).toBe(2);
    dead.getReady({ kind: "unavailable", message: "it does not answer" });
    expect(answers.at(-1)).toBe(`1: 0 ${ETH} UNAVAILABLE`);
    expect([hub.holds, clock.pending]).toEqual([2, 0]);
  });

  test("that names no topic is answered all the same", () => {
    subscribe(1);
    expect(answers).toEqual(["1: "]);
  });

  test("for a topic of an ingestor that is lost is refused at once, unless somebody has it", () => {
    isLost = true;
    hub.view(BTC).holds = 1;
    subscribe(1, BTC, ETH);
    expect(answers).toEqual([`1: 0 ${BTC},1 ${ETH} UNAVAILABLE`]);
    expect([...hub.views.keys()]).toEqual([BTC]);
  });

  test("with an interval above the longest is refused, and told what there is", () => {
    const book = "fake:BTC-USDT/book";
    subscribeWith(1, book, { conflationIntervalMs: 10_001 });
    expect(answers).toEqual([`1: 0 ${book} UNSUPPORTED_OPTION`]);
    expect(messages).toEqual(["conflation_interval_ms 10001 is not offered; the longest is 10000"]);
    expect(hub.holds).toBe(0);
    subscribeWith(2, book, { conflationIntervalMs: 10_000 });
    expect(answers[1]).toBe(`2: 0 ${book}`);
  });

  test("gets the view that its options are rounded up to, and is told so", () => {
    const book = "fake:BTC-USDT/book";
    subscribeWith(1, book, { depth: 7, conflationIntervalMs: 51 });
    expect(results.at(-1)).toMatchObject({ depth: 10, conflationIntervalMs: 100 });
    expect(hub.otherView(book, { depth: 10, intervalMs: 100 }).holds).toBe(1);
    subscribeWith(2, BTC, { depth: 7, conflationIntervalMs: 51 });
    expect(results.at(-1)).toMatchObject({ depth: 0, conflationIntervalMs: 100 });
    subscriptions.close();
    expect(hub.holds).toBe(0);
  });

  test("for a pattern with a position is malformed", () => {
    subscribeWith(1, "fake:*/trades", { resume: { epoch: 1, sequence: 1 } });
    expect(answers).toEqual(["1: 0 fake:*/trades MALFORMED"]);
  });

  test("is refused where the gateway follows as many topics as it may", () => {
    hub.topicsMax = 1;
    subscribe(1, BTC, ETH);
    expect(answers).toEqual([`1: 0 ${BTC},1 ${ETH} UNAVAILABLE`]);
  });

  test.each([
    [6, 0],
    [7, 1],
    [9, 3],
  ])("of %i topics has %i too many, each named", (count, tooMany) => {
    subscribe(1, ...Array.from({ length: count }, () => "nonsense"));
    expect(answers[0]?.match(/LIMIT_EXCEEDED/g) ?? []).toHaveLength(tooMany);
  });

  test("that names more than is granted is not served at all", () => {
    topicsLeft = 1;
    subscribe(1, BTC, ETH);
    unsubscribe(2, BTC, ETH);
    expect([answers, hub.holds, refusedRequests]).toEqual([[], 0, 2]);
    subscribe(3, BTC);
    expect(answers).toEqual([`3: 0 ${BTC}`]);
  });

  test("reports what a resuming client missed behind the starts", () => {
    hub.view(BTC).missing = { first: 3, last: 5 };
    hub.view(ETH).sequence = 2;
    subscribe(1, BTC, ETH);
    const frames = [nextFrame(), nextFrame()];
    expect(frames[0]?.batches.map((batch) => batch.topicId)).toEqual([hub.view(ETH).id]);
    expect(frames[1]?.messages[0]?.notice).toMatchObject({ topicId: hub.view(BTC).id });
  });
});

describe("subscriptionsMax", () => {
  test("counts topics that are had and topics that are getting ready", () => {
    hub.ready = false;
    subscribe(1, BTC, ETH, "fake:BTC-USDT/quotes");
    subscribe(2, "fake:ETH-USDT/quotes", "fake:ETH-USDT/book");
    for (const view of hub.views.values()) view.getReady();
    expect(answers[1]).toBe("2: 0 fake:ETH-USDT/quotes,1 fake:ETH-USDT/book LIMIT_EXCEEDED");
    expect(subscriptions.size).toBe(4);
  });

  test("ends a pattern that matches more, and says so once", () => {
    subscribe(1, "fake:*/*");
    expect(answers[0]?.match(/LIMIT_EXCEEDED/g)).toHaveLength(1);
    expect(subscriptions.size).toBe(4);
  });

  test("counts a topic once, however many requests wait for it", () => {
    hub.ready = false;
    for (let id = 1; id <= 3; id += 1) subscribe(id, BTC);
    subscribe(4, ETH, "fake:BTC-USDT/quotes", "fake:ETH-USDT/quotes", "fake:BTC-USDT/book");
    for (const view of hub.views.values()) view.getReady();
    expect(answers.at(-1)).toBe(
      `4: 0 ${ETH},1 fake:BTC-USDT/quotes,2 fake:ETH-USDT/quotes,3 fake:BTC-USDT/book LIMIT_EXCEEDED`,
    );
    expect(subscriptions.size).toBe(4);
  });

  test("ends waiting over and over for one topic", () => {
    hub.ready = false;
    for (let id = 1; id <= 9; id += 1) subscribe(id, BTC);
    clock.advance(100);
    expect(answers).toEqual([`9: 0 ${BTC} LIMIT_EXCEEDED`]);
  });

  test("refuses a pattern as a whole if nothing of it finds room, and says what to raise", () => {
    subscribe(1, "fake:*/*");
    subscribe(2, "fake:*/quotes", "fake:*/status");
    expect(answers[1]).toBe(
      "2: 0 fake:BTC-USDT/quotes ALREADY_SUBSCRIBED,0 fake:ETH-USDT/quotes LIMIT_EXCEEDED," +
        "1 fake:BTC-USDT/status ALREADY_SUBSCRIBED,1 fake:ETH-USDT/status LIMIT_EXCEEDED",
    );
    const sol = listedInstrument("SOL-USDT");
    listed.set("SOL-USDT", sol);
    subscribe(3, "fake:SOL-USDT/*");
    expect(answers[2]).toBe("3: 0 fake:SOL-USDT/* LIMIT_EXCEEDED");
    expect(messages.at(-1)).toMatch(/subscriptionsMax 4 .*raise gateway\.subscriptionsMax/);
    unsubscribe(4, "fake:*/*");
    catalogChanged([sol], []);
    expect(answers.slice(4).filter((answer) => answer.startsWith("3:"))).toEqual([]);
  });

  test("has room again after an unsubscribe", () => {
    subscribe(1, "fake:*/*");
    unsubscribe(2, "fake:*/*");
    subscribe(3, BTC);
    expect(answers.at(-1)).toBe(`3: 0 ${BTC}`);
  });
});

describe("an unsubscribe", () => {
  test("takes back what is queued of the topic, and gives its view back", () => {
    hub.view(BTC).sequence = 3;
    subscribe(1, BTC, ETH);
    unsubscribe(2, BTC, "fake:ETH-USDT/book");
    expect(answers[1]).toBe(`2 off: 0 ${BTC},1 fake:ETH-USDT/book NOT_SUBSCRIBED`);
    expect(takenBack).toEqual([hub.view(BTC).id]);
    expect([hub.view(BTC).holds, hub.view(ETH).holds]).toEqual([0, 1]);
  });

  test("of a pattern ends what it brought, and not what was had before it", () => {
    subscribe(1, BTC);
    subscribe(2, "fake:*/trades");
    expect(answers[1]).toBe(`2: 0 ${BTC} ALREADY_SUBSCRIBED,0 ${ETH}`);
    unsubscribe(3, "fake:*/trades");
    expect(answers[2]).toBe("3 off: 0 fake:*/trades");
    expect([hub.view(BTC).holds, hub.view(ETH).holds]).toEqual([1, 0]);
  });
});

describe("a position", () => {
  const resume = { epoch: 7, sequence: 41 };
  const asked = (topic: string) => hub.view(topic).asked.map((options) => options.resume);

  test("is used when the topic starts", () => {
    subscribeWith(1, BTC, { resume });
    expect(asked(BTC)).toEqual([resume]);
  });

  test("that was refused with its topic is used by the pattern that brings it", () => {
    const instrument = listed.get("BTC-USDT");
    listed.delete("BTC-USDT");
    subscribeWith(1, BTC, { resume });
    subscribe(2, "fake:*/trades");
    expect(answers).toEqual([`1: 0 ${BTC} UNKNOWN_SYMBOL`, `2: 0 ${ETH}`]);
    if (instrument !== undefined) {
      listed.set("BTC-USDT", instrument);
      catalogChanged([instrument], []);
    }
    expect(answers.at(-1)).toBe(`2: 0 ${BTC}`);
    expect(asked(BTC)).toEqual([resume]);
    // Once: what is subscribed anew starts anew.
    unsubscribe(3, BTC);
    subscribe(4, BTC);
    expect(asked(BTC)).toEqual([resume, undefined]);
  });

  test("of a topic that waits is used, though another request gets the topic first", () => {
    hub.ready = false;
    subscribe(1, "fake:*/trades");
    subscribeWith(2, BTC, { resume });
    for (const view of hub.views.values()) view.getReady();
    expect(asked(BTC)).toEqual([resume]);
  });

  test("is forgotten with an unsubscribe, but not one that came after it", () => {
    hub.ready = { kind: "unavailable", message: "" };
    subscribeWith(1, BTC, { resume });
    unsubscribe(2, BTC);
    hub.view(BTC).ready = true;
    subscribe(3, BTC);
    expect(asked(BTC)).toEqual([undefined]);
  });

  test.each([
    [4, 0],
    [5, 1],
  ])("is kept of %i topics with %i forgotten", async (count, forgotten) => {
    for (let index = 0; index < count; index += 1) {
      subscribeWith(index, `fake:X${index}-USDT/trades`, { resume });
    }
    expect(await metric("tickwire_gateway_positions_forgotten_total")).toBe(forgotten);
  });
});

describe("what waits", () => {
  beforeEach(() => {
    hub.ready = false;
  });

  test("is given up by an unsubscribe, and does not start when it is ready", () => {
    subscribe(1, BTC, ETH);
    unsubscribe(2, BTC);
    clock.advance(100);
    expect(answers).toEqual([`2 off: 0 ${BTC}`]);
    clock.advance(100);
    expect(answers[1]).toBe(`1: 0 ${BTC} NOT_SUBSCRIBED`);
    for (const view of hub.views.values()) view.getReady();
    expect(answers[2]).toBe(`1: 1 ${ETH}`);
    expect([hub.view(BTC).holds, subscriptions.size]).toEqual([0, 1]);
  });

  test("of a pattern is given up with the pattern, and no more than that", () => {
    subscribe(1, "fake:*/trades", "fake:BTC-USDT/quotes");
    unsubscribe(2, "fake:*/trades");
    clock.advance(200);
    expect([hub.view(BTC).holds, hub.view("fake:BTC-USDT/quotes").holds]).toEqual([0, 1]);
  });

  test("and is asked for again behind the unsubscribe starts", () => {
    subscribe(1, BTC);
    unsubscribe(2, BTC);
    subscribe(3, BTC);
    clock.advance(100);
    hub.view(BTC).getReady();
    expect(answers.at(-1)).toBe(`3: 0 ${BTC}`);
    expect([hub.view(BTC).holds, subscriptions.size]).toEqual([1, 1]);
  });
});

describe("when the catalog changes", () => {
  const list = (symbol: string) => {
    const instrument = listedInstrument(symbol);
    listed.set(symbol, instrument);
    return instrument;
  };

  test("what is listed joins the patterns that match it, under their request", () => {
    subscribe(5, BTC, "fake:*/trades");
    catalogChanged([list("SOL-USDT")], []);
    expect(answers.at(-1)).toBe("5: 1 fake:SOL-USDT/trades");
  });

  test.each(["*:BTC-USDT/*", "fake:BTC-USDT/*"])(
    "%s is joined by what comes of that symbol, and by nothing else",
    (pattern) => {
      subscribe(5, pattern);
      unsubscribe(6, BTC);
      const before = answers.length;
      const both = ["BTC-USDT", "ETH-USDT"].flatMap((symbol) => listed.get(symbol) ?? []);
      catalogChanged(both, []);
      expect(answers.slice(before)).toEqual([`5: 0 ${BTC}`]);
    },
  );

  test("a pattern that was unsubscribed grows no more", () => {
    subscribe(5, "fake:*/trades");
    unsubscribe(6, "fake:*/trades");
    catalogChanged([list("SOL-USDT")], []);
    expect(answers).toHaveLength(2);
  });

  test("what is gone ends, with a word behind what was delivered", async () => {
    subscribe(1, BTC, ETH);
    const [instrument] = [listed.get("BTC-USDT")].flatMap((found) => found ?? []);
    listed.delete("BTC-USDT");
    catalogChanged([], instrument === undefined ? [] : [instrument]);
    expect([subscriptions.size, hub.view(BTC).holds]).toEqual([1, 0]);
    expect(takenBack).toEqual([]);
    expect(lanes.bytes).toBeGreaterThan(0);
    expect(await metric("tickwire_gateway_subscriptions")).toBe(1);
  });
});

test("a session that ends gives back what it has and what it was getting, and answers nobody", async () => {
  subscribe(1, BTC);
  hub.ready = false;
  subscribe(2, ETH);
  unsubscribe(3, BTC);
  const answered = answers.length;
  subscriptions.close();
  subscriptions.close();
  expect(hub.holds).toBe(0);
  expect(answers.slice(answered).filter((answer) => !answer.includes("off"))).toEqual([]);
  expect(await metric("tickwire_gateway_subscriptions")).toBe(0);
  hub.view(ETH).getReady();
  expect(hub.view(ETH).subscribers.size).toBe(0);
});

describe("a request that takes several turns", () => {
  /** Lets turns of the event loop end until nothing is left to be done. */
  function endTurns(): number {
    let turns = 0;
    for (; turnEnds.length > 0; turns += 1) {
      for (const callback of turnEnds.splice(0)) callback();
    }
    return turns;
  }

  test("is answered in pieces, each before the batches of its topics", () => {
    stepUs = 100;
    hub.view(BTC).sequence = 1;
    hub.view(ETH).sequence = 1;
    subscribe(1, "fake:*/*", "nonsense");
    expect(answers).toEqual([]);
    expect(endTurns()).toBeGreaterThan(1);
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.join().match(/0 fake:\S+\/\w+/g)?.length).toBe(5);
    expect(answers.at(-1)).toContain("1 nonsense MALFORMED");
  });

  test("keeps those behind it waiting, in order", () => {
    stepUs = 100;
    subscribe(1, BTC, ETH);
    unsubscribe(2, BTC);
    subscribe(3, BTC);
    endTurns();
    expect(answers.map((answer) => answer.split(":")[0])).toEqual(["1", "1", "2 off", "3"]);
    expect(hub.holds).toBe(2);
  });

  test.each([0, 1, 2, 3, 4, 6, 8, 12])("leaves nothing behind if it ends after %i", (turns) => {
    stepUs = 100;
    subscribe(1, "fake:*/*");
    for (let turn = 0; turn < turns; turn += 1) turnEnds.shift()?.();
    subscriptions.close();
    endTurns();
    expect(hub.holds).toBe(0);
    expect(lanes.bytes).toBe(0);
  });
});
