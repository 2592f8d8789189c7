import type { ClientSession, TopicSource } from "../session/client-session.ts";
import type { Session } from "../session/session.ts";
import { StreamStats, type ClientStats } from "../stats/stream-stats.ts";
import type { ChannelPart } from "./channel.ts";
import type { ChannelSource } from "./channel-source.ts";
import type { Consumer } from "./consumer.ts";
import type { StreamCounters } from "./stream-counters.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { WireOptions } from "./subscription-entry.ts";
import type { ViewWish } from "./view-wish.ts";

/** The topics that a session subscribes itself, and what is counted of them. */
export class OwnTopics implements TopicSource {
  readonly #subscriptions: Subscriptions;
  readonly #stats: StreamStats;

  /** `channels` may grow. */
  constructor(
    session: Pick<Session, "link" | "carry">,
    channels: readonly ChannelPart[],
    hiddenIntervalMs: number,
  ) {
    const stats = new StreamStats(session.link);
    const meterOf = (topic: string) => stats.meterOf(topic);
    this.#subscriptions = new Subscriptions(session.link, channels, hiddenIntervalMs, meterOf);
    this.#stats = stats;
    session.carry(this.#subscriptions);
    session.carry(stats);
  }

  get counters(): StreamCounters {
    return this.#subscriptions.counters;
  }

  stats(): ClientStats {
    return this.#stats.take();
  }

  attach(
    topics: readonly string[],
    options: WireOptions,
    consumer: Consumer,
    release: () => void,
  ): void {
    this.#subscriptions.attach(topics, options, consumer, release);
  }

  update(topics: readonly string[], wish: Partial<ViewWish>): void {
    this.#subscriptions.update(topics, wish);
  }

  /** Asks at once for what is attached, not at the end of the turn. */
  flush(): void {
    this.#subscriptions.flush();
  }
}

/** A session that subscribes its topics itself. */
export type TopicsSession = Session &
  Omit<ClientSession, "openTopics"> & {
    openTopics(channels: ChannelSource, hiddenIntervalMs: number): OwnTopics;
  };

/** The same session, which also subscribes topics, and brings the code of some channels. */
export function withTopics(session: Session, parts: readonly ChannelPart[] = []): TopicsSession {
  return Object.assign(session, {
    openTopics(channels: ChannelSource, hiddenIntervalMs: number) {
      channels.bring(parts);
      return new OwnTopics(session, channels.parts, hiddenIntervalMs);
    },
    whole: () => Promise.resolve(session),
  });
}
