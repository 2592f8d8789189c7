import type { Clock } from "#core/clock.ts";
import type { StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import type { Session } from "../session/session.ts";
import type { TopicSubscription } from "../session/topic-subscription.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { pageOf } from "./paging.ts";

type SessionPageParts = {
  readonly sessions: { each(): Iterable<Session> };
  readonly clock: Clock;
  readonly line: TurnLine;
};

type SizeOf = (session: Session, nowUs: number) => number;

const SIZES: ReadonlyMap<string, SizeOf> = new Map<string, SizeOf>([
  ["lag", (session, nowUs) => session.lagUs(nowUs)],
  ["owed", (session) => session.owedBytes],
  ["topics", (session) => session.subscribed?.size ?? 0],
]);

/** `sessions`: those that are open, or those who have most of something, or who have a topic. */
export function sessionPage({ sessions, clock, line }: SessionPageParts): StatePage {
  // Numbers in the order in which sessions came, given when they are first looked at.
  const orderOf = numbered<Session>();
  function* page(query: StateQuery): Work<StateRows> {
    const nowUs = clock.monotonicUs();
    const id = query.parameters.get("session");
    const topic = query.parameters.get("topic");
    const size = SIZES.get(query.parameters.get("sort") ?? "");
    return yield* pageOf<Session>(
      {
        items: sessions.each(),
        orderOf,
        matches: (session) =>
          (id === undefined || session.id === id) &&
          (topic === undefined || session.subscribed?.has(topic) === true),
        sizeOf: size === undefined ? undefined : (session) => size(session, nowUs),
        rowOf: (session) => session.look(nowUs),
      },
      query,
      line,
    );
  }
  const parameters = new Map<string, readonly string[] | "any">([
    ["sort", ["opened", ...SIZES.keys()]],
    ["session", "any"],
    ["topic", "any"],
  ]);
  return { parameters, answer: (query) => line.run(page(query)) };
}

/** `subscriptions`: what one session gets. */
export function subscriptionPage({ sessions, line }: SessionPageParts): StatePage {
  function* page(query: StateQuery): Work<StateRows> {
    const topic = query.parameters.get("topic");
    const id = query.parameters.get("session");
    for (const session of sessions.each()) {
      if (session.id !== id) {
        if (line.isOver) yield;
        continue;
      }
      return yield* pageOf<TopicSubscription>(
        {
          items: session.subscribed?.all() ?? [],
          orderOf: ({ serial }) => serial,
          matches: ({ view }) => topic === undefined || view.topic === topic,
          sizeOf: undefined,
          rowOf: rowOfSubscription,
        },
        query,
        line,
      );
    }
    return { rows: [], next: "" };
  }
  const parameters = new Map<string, "any">([
    ["session", "any"],
    ["topic", "any"],
  ]);
  return { parameters, needed: "session", answer: (query) => line.run(page(query)) };
}

function rowOfSubscription({ view, state, sequence }: TopicSubscription) {
  const { depth, intervalMs } = view.options;
  return { topic: view.topic, state, sequence, depth, intervalMs };
}

/** Numbers things in the order in which they are first looked at, and remembers the numbers. */
function numbered<Item extends object>(): (item: Item) => number {
  const numbers = new WeakMap<Item, number>();
  let last = 0;
  return (item) => {
    const known = numbers.get(item);
    if (known !== undefined) return known;
    last += 1;
    numbers.set(item, last);
    return last;
  };
}
