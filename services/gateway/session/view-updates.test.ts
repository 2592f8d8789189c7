import { tickwire } from "@tickwire/proto/protobufjs";
import { beforeEach, describe, expect, test } from "vitest";
import { RawFrameReader } from "#test/conformance/gateway-raw-client.ts";
import { listedInstrument } from "#test/support/fake-topics.ts";
import { SessionRig } from "#test/support/session-rig.ts";

const BOOK = "fake:BTC-USDT/book";
const TRADES = "fake:BTC-USDT/trades";
const RAW = { depth: 0, intervalMs: 0 };

let rig: SessionRig;

beforeEach(() => {
  rig = new SessionRig({ topicsPerSecondMax: 20, subscriptionsMax: 9 });
  rig.hello();
});

type Wish = {
  readonly topic: string;
  readonly depth?: number;
  readonly conflationIntervalMs?: number;
};

function update(requestId: number, ...topics: Wish[]): void {
  rig.says({ update: { requestId, topics } });
  rig.endTurn();
}

/** What the client was told of views: request, topic, error or what applies. */
function told(): string[] {
  return rig.messages.flatMap(({ subscribeResult }) => {
    return (subscribeResult?.topics ?? []).map((result) => {
      const error = tickwire.v1.TopicError[Number(result.error)]?.replace("TOPIC_ERROR_", "");
      const view = `${result.depth} every ${result.conflationIntervalMs}`;
      const outcome = error === "UNSPECIFIED" ? view : error;
      return `${subscribeResult?.requestId}: ${result.topic} ${outcome}`;
    });
  });
}

describe("an update of a topic", () => {
  test("goes on with the view that it is rounded up to, from where the topic is", () => {
    rig.subscribe(1, BOOK);
    const raw = rig.hub.view(BOOK);
    const next = rig.hub.otherView(BOOK, { depth: 10, intervalMs: 250 });
    update(2, { topic: BOOK, depth: 8, conflationIntervalMs: 101 });
    expect(told()).toEqual([`1: ${BOOK} 0 every 0`, `2: ${BOOK} 10 every 250`]);
    expect(next.asked).toEqual([
      { snapshot: true, resume: { epoch: 1, sequence: 0 }, whole: true, checksum: false },
    ]);
    expect([raw.subscribers.size, raw.holds, raw.settled]).toEqual([0, 0, 1]);
    expect([next.subscribers.size, next.holds]).toEqual([1, 1]);
  });

  test("needs no state where the levels stay the same", () => {
    rig.subscribe(1, TRADES);
    update(2, { topic: TRADES, depth: 5, conflationIntervalMs: 50 });
    const next = rig.hub.otherView(TRADES, { depth: 0, intervalMs: 50 });
    expect(next.asked[0]?.whole).toBe(false);
  });

  test("is told in its place among the batches, and what follows has its base", () => {
    rig.subscribe(1, TRADES);
    rig.hub.view(TRADES).publish();
    const next = rig.hub.otherView(TRADES, { depth: 0, intervalMs: 50 });
    next.sequence = 1;
    rig.says({ update: { requestId: 2, topics: [{ topic: TRADES, conflationIntervalMs: 50 }] } });
    next.publish();
    rig.endTurn();
    const reader = new RawFrameReader();
    const seen = rig.connection.sent.flatMap(({ bytes }, index) => {
      const isResult = rig.frames[index]?.messages.some((each) => {
        return each.subscribeResult?.requestId === 2 && each.subscribeResult.isPartial;
      });
      const batches = reader.read(Uint8Array.from(bytes));
      const read = batches.map(({ first, hasBase }) => `${first} ${hasBase ? "based" : "chained"}`);
      return [...(isResult ? ["result"] : []), ...read];
    });
    expect(seen).toEqual(["1 based", "result", "1 based", "2 based"]);
  });

  test("to the view that it has already changes nothing, and is answered", () => {
    rig.subscribe(1, BOOK);
    update(2, { topic: BOOK });
    const raw = rig.hub.view(BOOK);
    expect([raw.subscribers.size, raw.holds]).toEqual([1, 1]);
    expect(told().at(-1)).toBe(`2: ${BOOK} 0 every 0`);
  });

  test("that the session does not have is refused, and the others are not", () => {
    rig.subscribe(1, BOOK);
    update(2, { topic: TRADES, depth: 1 }, { topic: BOOK, depth: 1 });
    expect(told().slice(1)).toEqual([`2: ${TRADES} NOT_SUBSCRIBED`, `2: ${BOOK} 1 every 0`]);
  });

  test("with an interval above the longest is refused", () => {
    rig.subscribe(1, BOOK);
    update(2, { topic: BOOK, conflationIntervalMs: 10_001 });
    expect(told().at(-1)).toBe(`2: ${BOOK} UNSUPPORTED_OPTION`);
    expect(rig.hub.view(BOOK).holds).toBe(1);
  });

  test("that has not started yet starts with the new view", () => {
    rig.hub.ready = false;
    rig.subscribe(1, BOOK);
    rig.clock.advance(200);
    rig.endTurn();
    update(2, { topic: BOOK, depth: 20 });
    expect(told()).toEqual([`2: ${BOOK} 20 every 0`]);
    rig.hub.otherView(BOOK, { ...RAW, depth: 20 }).getReady();
    rig.hub.view(BOOK).getReady();
    rig.endTurn();
    expect(told()).toEqual([`2: ${BOOK} 20 every 0`, `1: ${BOOK} 20 every 0`]);
    expect(rig.hub.holds).toBe(1);
  });
});

describe("an update of a pattern", () => {
  test("changes all of its topics, and those that join it later", () => {
    rig.subscribe(1, "fake:*/book", TRADES);
    update(2, { topic: "fake:*/book", depth: 5 });
    expect(told().slice(-2)).toEqual([
      "2: fake:BTC-USDT/book 5 every 0",
      "2: fake:ETH-USDT/book 5 every 0",
    ]);
    const listed = listedInstrument("XRP-USDT");
    rig.instruments.set("XRP-USDT", listed);
    const added = new Map([["XRP-USDT", listed]]);
    rig.session.onCatalogChanged({ venue: "fake", added, removed: [] });
    rig.endTurn();
    expect(rig.hub.otherView("fake:XRP-USDT/book", { ...RAW, depth: 5 }).holds).toBe(1);
    expect(rig.hub.view(TRADES).holds).toBe(1);
  });

  test("is paid for by its topics", () => {
    rig.subscribe(1, "fake:*/*");
    expect(rig.state).toBe("open");
    for (let id = 2; id < 5; id += 1) {
      update(id, { topic: "fake:*/*", conflationIntervalMs: 50 * id });
    }
    rig.endTurn();
    // UPDATE, and RESOURCE_EXHAUSTED.
    expect(
      rig.messages.map(({ requestRefused }) => requestRefused).findLast(Boolean),
    ).toMatchObject({ kind: 3, requestId: 4, code: 8 });
    expect(rig.connection.ends).toEqual([]);
  });
});
