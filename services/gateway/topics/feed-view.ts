import type { Topic } from "#core/topic.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { TopicFeed } from "./topic-feed.ts";
import type { TopicFailure } from "./topic-subscriber.ts";

/** What every view has of the topic that it shows. */
export abstract class FeedView {
  protected readonly feed: TopicFeed;

  constructor(feed: TopicFeed) {
    this.feed = feed;
  }

  get id(): number {
    return this.feed.id;
  }

  get name(): Topic {
    return this.feed.name;
  }

  get topic(): string {
    return this.feed.topic;
  }

  whenReady(callback: (failure: TopicFailure | undefined) => void, from?: TopicPosition): void {
    this.feed.whenReady(callback, from);
  }
}
