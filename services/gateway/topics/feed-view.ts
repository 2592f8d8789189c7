import type { Topic } from "#core/topic.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { TopicFailure } from "./topic-subscriber.ts";
import type { ViewFeed } from "./view-feed.ts";

/** What every view has of the topic that it shows. */
export abstract class FeedView {
  protected readonly feed: ViewFeed;

  constructor(feed: ViewFeed) {
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
