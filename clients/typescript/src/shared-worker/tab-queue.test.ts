import { describe, expect, test } from "vitest";
import type { MarketEvent } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { settle } from "../../test/fake-gateway.ts";
import type { TabItem } from "./port-messages.ts";
import { TabQueue } from "./tab-queue.ts";

/** Messages that a tab may leave unanswered before it is waited for. */
const UNANSWERED = 8;
const EVENTS_MAX = 3;

function event(type: MarketEvent["type"], sequence: number, topic = `v:A/${type}`): MarketEvent {
  return { type, topic, sequence } as MarketEvent;
}

const gap = (missingFirst: number) => ({ type: "gap", missingFirst }) as NoticeEvent;

/** What was posted: the id of the consumer, and what of it. */
function told(item: TabItem): string {
  if ("event" in item) return `${item.id} ${item.event.type} ${item.event.sequence}`;
  if ("ended" in item) return `${item.id} ended ${item.ended?.code}`;
  return `${item.id} ${Object.keys(item).find((key) => key !== "id")}`;
}

class Stand {
  readonly posted: string[][] = [];
  readonly asked: string[] = [];
  readonly queue = new TabQueue({
    post: (items) => this.posted.push(items.map(told)),
    overflow: (id) => this.asked.push(`overflow ${id}`),
    rebase: (id) => this.asked.push(`rebase ${id}`),
  });

  /** As many messages as a tab may leave unanswered are on their way. */
  async busy(): Promise<this> {
    for (let message = 0; message < UNANSWERED; message++) {
      this.queue.event(0, event("trade", message), 100);
      await settle();
    }
    if (this.posted.length !== UNANSWERED) throw new Error("the tab is not busy");
    this.posted.length = 0;
    return this;
  }
}

describe("what a tab is owed", () => {
  test("goes at once, in one message for what comes together", async () => {
    const { queue, posted } = new Stand();
    queue.event(1, event("trade", 1), EVENTS_MAX);
    queue.event(2, event("quote", 1), EVENTS_MAX);
    queue.push({ id: 1, notice: gap(1) });
    expect(posted).toEqual([]);
    await settle();
    expect(posted).toEqual([["1 trade 1", "2 quote 1", "1 notice"]]);
  });

  test("waits while too many messages are unanswered, and goes with the next answer", async () => {
    const { queue, posted } = await new Stand().busy();
    queue.event(1, event("trade", 1), EVENTS_MAX);
    await settle();
    expect(posted).toEqual([]);
    queue.answered();
    await settle();
    expect(posted).toEqual([["1 trade 1"]]);
    queue.event(1, event("trade", 2), EVENTS_MAX);
    await settle();
    expect(posted).toHaveLength(1);
  });

  test("is split into messages of 2 000 items", async () => {
    const { queue, posted } = await new Stand().busy();
    for (let sequence = 0; sequence < 4_001; sequence++) {
      queue.event(1, event("trade", sequence), 5_000);
    }
    for (let answer = 0; answer < UNANSWERED; answer++) queue.answered();
    await settle();
    expect(posted.map(({ length }) => length)).toEqual([2_000, 2_000, 1]);
  });

  test("is of states the latest, in the place of the one that waited, each of its consumer", async () => {
    const { queue, posted } = await new Stand().busy();
    queue.event(1, event("quote", 1), EVENTS_MAX);
    queue.event(1, event("trade", 1), EVENTS_MAX);
    for (let sequence = 2; sequence < 50; sequence++) {
      queue.event(1, event("quote", sequence), EVENTS_MAX);
      queue.event(1, event("quote", sequence, "v:B/quotes"), EVENTS_MAX);
      queue.event(2, event("quote", sequence), EVENTS_MAX);
    }
    queue.answered();
    await settle();
    expect(posted).toEqual([["1 quote 49", "1 trade 1", "1 quote 49", "2 quote 49"]]);
  });

  test("is of states the latest also after another consumer has gone from among them", async () => {
    const { queue, posted } = await new Stand().busy();
    queue.event(1, event("trade", 1), EVENTS_MAX);
    queue.event(2, event("quote", 1), EVENTS_MAX);
    queue.event(2, event("ticker", 1), EVENTS_MAX);
    queue.forget(1);
    queue.event(2, event("ticker", 2), EVENTS_MAX);
    queue.event(2, event("quote", 2), EVENTS_MAX);
    queue.answered();
    await settle();
    expect(posted).toEqual([["2 quote 2", "2 ticker 2"]]);
  });

  test("is all of the events, up to the limit of their consumer", async () => {
    const { queue, posted, asked } = await new Stand().busy();
    for (let sequence = 1; sequence <= EVENTS_MAX; sequence++) {
      queue.event(1, event("trade", sequence), EVENTS_MAX);
    }
    expect(asked).toEqual([]);
    queue.answered();
    await settle();
    expect(posted).toEqual([["1 trade 1", "1 trade 2", "1 trade 3"]]);
  });

  test("ends a consumer whose events are one too many, without those that waited", async () => {
    const { queue, posted, asked } = await new Stand().busy();
    queue.event(2, event("trade", 1), EVENTS_MAX);
    for (let sequence = 1; sequence <= EVENTS_MAX + 1; sequence++) {
      queue.event(1, event("trade", sequence), EVENTS_MAX);
    }
    expect(asked).toEqual(["overflow 1"]);
    queue.answered();
    await settle();
    expect(posted).toEqual([["2 trade 1", "1 ended buffer-overflow"]]);
  });

  test("ends a consumer whose notices are one too many", async () => {
    const { queue, posted, asked } = await new Stand().busy();
    for (let notice = 1; notice <= EVENTS_MAX; notice++) queue.notice(1, gap(notice), EVENTS_MAX);
    expect(asked).toEqual([]);
    queue.notice(1, gap(4), EVENTS_MAX);
    expect(asked).toEqual(["overflow 1"]);
    queue.answered();
    await settle();
    expect(posted).toEqual([["1 ended buffer-overflow"]]);
  });

  test("asks for the whole of a book whose changes are one too many", async () => {
    const { queue, posted, asked } = await new Stand().busy();
    for (let sequence = 1; sequence <= EVENTS_MAX + 1; sequence++) {
      queue.event(1, event("book", sequence), EVENTS_MAX);
    }
    expect(asked).toEqual(["rebase 1"]);
    queue.event(1, event("book", 9), EVENTS_MAX);
    queue.answered();
    await settle();
    expect(posted).toEqual([["1 book 9"]]);
  });

  test("does not grow in a tab that stands still for a day", async () => {
    const { queue, asked } = await new Stand().busy();
    for (let sequence = 1; sequence <= 10_000; sequence++) {
      queue.event(1, event("book", sequence), EVENTS_MAX);
      queue.event(2, event("quote", sequence), EVENTS_MAX);
    }
    expect(asked.length).toBeGreaterThan(2_000);
    expect(queue.length).toBeLessThanOrEqual(EVENTS_MAX + 1);
  });

  test("holds nothing of those who have gone", async () => {
    const { queue, posted } = await new Stand().busy();
    queue.event(1, event("trade", 1), EVENTS_MAX);
    queue.event(12, event("quote", 1), EVENTS_MAX);
    queue.forget(1);
    expect(queue.length).toBe(1);
    queue.answered();
    await settle();
    expect(posted).toEqual([["12 quote 1"]]);
  });

  test("does not mind an answer that nobody waits for", async () => {
    const { queue, posted } = new Stand();
    for (let answer = 0; answer < 20; answer++) queue.answered();
    for (let message = 0; message <= UNANSWERED; message++) {
      queue.event(1, event("trade", message), 100);
      await settle();
    }
    expect(posted).toHaveLength(UNANSWERED);
  });
});
