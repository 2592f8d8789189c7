import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { TopicFailure } from "../topics/topic-subscriber.ts";
import { HeldTopic, SubscribeAnswer } from "./subscribe-answer.ts";
import type { TopicRefusal } from "./topic-results.ts";
import type { TopicSubscription } from "./topic-subscription.ts";

const REFUSAL: TopicRefusal = { error: "TOPIC_ERROR_NOT_SUBSCRIBED", message: "given up" };

/** An answer that waits for two topics, which are ready when the test says so. */
function waiting(prepare: (held: readonly HeldTopic[]) => void = () => undefined) {
  const ready: ((failure: TopicFailure | undefined) => void)[] = [];
  const said: (readonly (string | undefined)[])[] = [];
  const held = ["a", "b"].map((topic) => {
    const subscription = { whenReady: (callback: (typeof ready)[number]) => ready.push(callback) };
    const wanted = { requestIndex: 0, topic, order: 1 };
    return new HeldTopic({
      ...wanted,
      subscription: subscription as unknown as TopicSubscription,
    });
  });
  const answer = new SubscribeAnswer({
    clock: new ManualClock(),
    wanted: held,
    say: (settled) => said.push(settled.map(({ topic, refusal }) => refusal?.message ?? topic)),
  });
  prepare(held);
  const line = { isOver: false } as Parameters<SubscribeAnswer["begin"]>[1];
  for (const _ of answer.begin(() => answer.turnCame(), line)) continue;
  return { held, ready, said };
}

describe("a topic of a subscribe request", () => {
  test("is said with the others when all are ready", () => {
    const { ready, said } = waiting();
    ready[1]?.(undefined);
    expect(said).toEqual([]);
    ready[0]?.({ kind: "unavailable", message: "silent" });
    expect(said).toEqual([["silent", "b"]]);
  });

  test("that is given up is refused, and heard of no more", () => {
    const { held, ready, said } = waiting();
    held[0]?.giveUp(REFUSAL);
    ready[0]?.({ kind: "unavailable", message: "silent" });
    ready[1]?.(undefined);
    expect(said).toEqual([["given up", "b"]]);
  });

  test("that is given up before it is waited for is refused all the same", () => {
    const { ready, said } = waiting(([first]) => first?.giveUp(REFUSAL));
    expect(ready).toHaveLength(1);
    ready[0]?.(undefined);
    expect(said).toEqual([["given up", "b"]]);
  });

  test("that is given up between being ready and being said is refused", () => {
    const { held, ready, said } = waiting();
    ready[0]?.(undefined);
    held[0]?.giveUp(REFUSAL);
    ready[1]?.(undefined);
    expect(said).toEqual([["given up", "b"]]);
  });
});
