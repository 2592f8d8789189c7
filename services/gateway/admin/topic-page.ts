import type { Clock } from "#core/clock.ts";
import type { SampledRates } from "#core/sampled-rates.ts";
import type { StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import type { Hub } from "../topics/hub.ts";
import type { TopicFeed } from "../topics/topic-feed.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { pageOf } from "./paging.ts";

/** Events a second of each topic, as of when operators asked for them. */
export type TopicRates = SampledRates<TopicFeed>;

type TopicPageParts = {
  readonly hub: Pick<Hub, "each">;
  readonly clock: Clock;
  readonly line: TurnLine;
  readonly rates: TopicRates;
};

type FollowedTopic = ReturnType<Hub["each"]> extends Iterable<infer Each> ? Each : never;

/** `topics`: those that are followed on the bus, with the views that sessions use. */
export function topicPage({ hub, clock, line, rates }: TopicPageParts): StatePage {
  function* page(query: StateQuery): Work<StateRows> {
    const nowUs = clock.monotonicUs();
    const wanted = ["venue", "channel", "state"].flatMap((name) => {
      const value = query.parameters.get(name);
      return value === undefined ? [] : [{ name, value }];
    });
    const topic = query.parameters.get("topic");
    const sort = query.parameters.get("sort");
    const rateOf = ({ feed }: FollowedTopic): number | undefined =>
      rates.of(feed, { value: feed.sequence, run: feed.epoch }, nowUs);
    const sizes = new Map<string | undefined, (followed: FollowedTopic) => number>([
      ["rate", (followed) => rateOf(followed) ?? 0],
      ["sessions", ({ holds }) => holds],
      ["bytes", ({ feed }) => feed.historyBytes],
    ]);
    return yield* pageOf<FollowedTopic>(
      {
        items: hub.each(),
        orderOf: ({ feed }) => feed.id,
        matches: ({ feed }) =>
          (topic === undefined || feed.topic === topic) &&
          wanted.every(({ name, value }) => fieldOf(feed, name) === value),
        sizeOf: sizes.get(sort),
        rowOf: (followed) => rowOf(followed, nowUs, rateOf(followed)),
      },
      query,
      line,
    );
  }
  const parameters = new Map<string, readonly string[] | "any">([
    ["sort", ["followed", "rate", "sessions", "bytes"]],
    ["topic", "any"],
    ["venue", "any"],
    ["channel", "any"],
    ["state", "any"],
  ]);
  return { parameters, answer: (query) => line.run(page(query)) };
}

function fieldOf({ name, state }: TopicFeed, field: string): string {
  if (field === "state") return state;
  return field === "venue" ? name.venue : name.channel;
}

function rowOf({ feed, views, holds }: FollowedTopic, nowUs: number, rate: number | undefined) {
  const { topic, state, epoch, sequence, historyBytes, receivedAtUs } = feed;
  const made = Array.from(views.made(), ({ options, holds: sessions }) => {
    return { depth: options.depth, intervalMs: options.intervalMs, sessions };
  });
  return {
    topic,
    state,
    epoch,
    sequence,
    sessions: holds,
    eventsPerSecond: rate === undefined ? null : Math.round(rate * 10) / 10,
    quietMs: receivedAtUs === 0 ? null : Math.floor((nowUs - receivedAtUs) / 1_000),
    historyBytes,
    views: made,
  };
}
