import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { ContinuityEvent, GapEvent } from "../events/stream-events.ts";
import { StreamStats } from "../stats/stream-stats.ts";
import { Consumer } from "../topics/consumer.ts";
import type { TabMessage } from "./port-messages.ts";
import { RemoteSubscriptions } from "./remote-subscriptions.ts";

const TOPIC = "v:A/trades";
const WHERE = { topic: TOPIC, venue: "v", symbol: "A" };
const VIEW = { depth: 0, conflationIntervalMs: 0, snapshot: true, checksum: false };
const PUBLISHED_US = 1_700_000_000_000_000;

function trade(sequence: number, batch = sequence, topic = TOPIC): MarketEvent {
  const publishedTimeUs = PUBLISHED_US + batch;
  return {
    type: "trade",
    topic,
    epoch: 7,
    sequence,
    initial: false,
    publishedTimeUs,
  } as MarketEvent;
}

const gap = (missingFirst: number, missingLast: number | undefined): GapEvent => ({
  type: "gap",
  ...WHERE,
  epoch: 7,
  missingFirst,
  missingLast,
  reason: "server-dropped",
});

const goesOn = (more: Partial<ContinuityEvent>): ContinuityEvent => ({
  type: "continuity",
  ...WHERE,
  continuity: "resumed",
  epoch: 7,
  sequence: 1,
  reason: "subscribed",
  ...more,
});

let posted: TabMessage[];
let stats: StreamStats;
let tab: RemoteSubscriptions;

beforeEach(() => {
  posted = [];
  stats = new StreamStats({ clock: new ManualClock() } as never);
  tab = new RemoteSubscriptions(
    (message) => posted.push(message),
    (topic) => stats.meterOf(topic),
  );
});

function consumer(topics: readonly string[] = [TOPIC]) {
  const seen: string[] = [];
  const made = new Consumer(topics, {
    event: (event) => seen.push(`${event.type} ${event.sequence}`),
    notice: (notice) => seen.push(notice.type),
    end: (error) => seen.push(error === undefined ? "end" : `end ${error.message}`),
  });
  tab.attach(topics, VIEW, made, () => seen.push("released"));
  return { made, seen };
}

describe("what a tab has of its worker", () => {
  test("goes to the consumer that it is for, and to nobody when that has gone", () => {
    const [one, other] = [consumer(), consumer(["v:A/quotes"])];
    tab.take([
      { id: 1, event: trade(1) },
      { id: 2, notice: gap(1, 2) },
    ]);
    expect([one.seen, other.seen]).toEqual([["trade 1"], ["gap"]]);
    one.made.close(undefined);
    tab.take([{ id: 1, event: trade(2) }]);
    expect(one.seen).toEqual(["trade 1", "released", "end"]);
    expect(posted.map(({ kind }) => kind)).toEqual(["attach", "attach", "detach"]);
  });

  test("is counted once, however many consumers in the tab have it", () => {
    consumer();
    consumer();
    consumer(["v:*/trades"]);
    for (const sequence of [1, 2, 3]) {
      tab.take([1, 2, 3].map((id) => ({ id, event: trade(sequence) })));
    }
    tab.take([{ id: 3, event: trade(1, 9, "v:B/trades") }]);
    expect(tab.counters.events).toBe(4);
    const { events, topics } = stats.take();
    expect(events.total).toBe(4);
    expect(topics.map(({ topic, events: { total } }) => `${topic} ${total}`)).toEqual([
      "v:A/trades 3",
      "v:B/trades 1",
    ]);
  });

  test("is still counted once after the consumer whose events counted has gone", () => {
    const first = consumer();
    consumer();
    tab.take([1, 2].map((id) => ({ id, event: trade(1) })));
    first.made.close(undefined);
    tab.take([1, 2].map((id) => ({ id, event: trade(2) })));
    expect(tab.counters.events).toBe(2);
  });

  test("came in as many batches as were published", () => {
    consumer();
    tab.take([trade(1, 1), trade(2, 1), trade(3, 2)].map((event) => ({ id: 1, event })));
    tab.take([{ id: 1, event: trade(4, 2) }]);
    expect(stats.take()).toMatchObject({ events: { total: 4 }, batches: { total: 2 } });
  });

  test("says what is missing, and how topics went on", () => {
    consumer();
    consumer();
    const notices = [
      gap(2, 4),
      gap(9, undefined),
      goesOn({ outcome: "preserved" }),
      goesOn({ outcome: "recovered", recoveredEvents: 5 }),
      goesOn({ continuity: "replaced", outcome: "replaced" }),
      goesOn({ continuity: "new" }),
    ];
    for (const notice of notices) tab.take([1, 2].map((id) => ({ id, notice })));
    expect(stats.take()).toMatchObject({
      missingEvents: 3,
      unknownGaps: 1,
      resumes: 2,
      replacements: 1,
      topics: [{ topic: TOPIC, missingEvents: 3 }],
    });
    expect(tab.counters).toMatchObject({
      gaps: 2,
      preserved: 1,
      recovered: 1,
      recoveredEvents: 5,
      replaced: 1,
    });
  });

  test("ends with what ended it in the worker, and with the client", () => {
    const [one, other] = [consumer(), consumer()];
    const ended = { name: "TickwireError", code: "options-conflict", message: "no" } as const;
    tab.take([{ id: 1, ended: { ...ended, retryable: false, details: [] } }]);
    expect(one.seen).toEqual(["released", "end no"]);
    tab.close(new Error("over") as never, true);
    expect(other.seen).toEqual(["released", "end over"]);
  });
});
