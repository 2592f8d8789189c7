import { OrderBook } from "@tickwire/proto/model";
import type { ConnectionError } from "../errors.ts";
import { BookSource, LiveBook } from "../events/book.ts";
import type { BookLevel } from "../events/event-fields.ts";
import type { BookEvent, MarketEvent } from "../events/market-event.ts";
import type { TopicMeter } from "../stats/stream-stats.ts";
import type { Consumer } from "../topics/consumer.ts";
import type { WireOptions } from "../topics/subscription-entry.ts";
import { createStreamCounters, type StreamCounters } from "../topics/stream-counters.ts";
import { isPattern, matchesPattern } from "../topics/topic.ts";
import type { ViewWish } from "../topics/view-wish.ts";
import { unpackError, type TabItem, type TabMessage } from "./port-messages.ts";

type Attachment = {
  readonly topics: readonly string[];
  readonly consumer: Consumer;
  readonly books: Map<string, { readonly source: BookSource; readonly view: LiveBook }>;
};

/** Events that may wait in the worker for one consumer of this tab. */
const WAITING_EVENTS_MAX = 10_000;

/** What a tab has subscribed, with the worker in place of a gateway. */
export class RemoteSubscriptions {
  readonly counters: StreamCounters = createStreamCounters();
  readonly #post: (message: TabMessage) => void;
  readonly #meterOf: (topic: string) => TopicMeter;
  readonly #attachments = new Map<number, Attachment>();
  #nextId = 1;

  constructor(post: (message: TabMessage) => void, meterOf: (topic: string) => TopicMeter) {
    this.#post = post;
    this.#meterOf = meterOf;
  }

  attach(
    topics: readonly string[],
    options: WireOptions,
    consumer: Consumer,
    release: () => void,
  ): void {
    const id = this.#nextId++;
    this.#attachments.set(id, { topics, consumer, books: new Map() });
    const bufferEventsMax = WAITING_EVENTS_MAX;
    this.#post({ kind: "attach", id, topics, options, bufferEventsMax });
    consumer.onClose(() => {
      release();
      if (this.#attachments.delete(id)) this.#post({ kind: "detach", id });
    });
  }

  update(topics: readonly string[], wish: Partial<ViewWish>): void {
    this.#post({ kind: "update", topics, wish });
  }

  /** Takes what the worker has for the consumers of this tab. */
  take(items: readonly TabItem[]): void {
    for (const item of items) {
      const attachment = this.#attachments.get(item.id);
      if (attachment !== undefined) this.#takeItem(item, attachment);
    }
  }

  /** The worker's connection is gone; books are not what they were. */
  disconnected(): void {
    for (const { books, consumer } of this.#attachments.values()) {
      for (const { source, view } of books.values()) {
        source.update("disconnected");
        consumer.handlers.book?.(view);
      }
    }
  }

  /** Ends every consumer: with the error, if that is why the client is over. */
  close(cause: ConnectionError, isFailure: boolean): void {
    for (const { consumer } of this.#attachments.values()) {
      consumer.close(isFailure ? cause : undefined);
    }
  }

  #takeItem(item: TabItem, attachment: Attachment): void {
    const { consumer, topics } = attachment;
    if ("event" in item) this.#takeEvent(item.event, attachment);
    else if ("notice" in item) consumer.handlers.notice?.(item.notice);
    else if ("refused" in item) {
      consumer.refuse(requestedOf(topics, item.refused.topic), item.refused);
    } else if ("info" in item) consumer.check(requestedOf(topics, item.info.topic), item.info);
    else {
      this.#attachments.delete(item.id);
      consumer.close(item.ended && unpackError(item.ended));
    }
  }

  #takeEvent(event: MarketEvent, attachment: Attachment): void {
    const { handlers } = attachment.consumer;
    this.counters.events += 1;
    const { initial: snapshot, publishedTimeUs, venueTimeUs } = event;
    const batch = { snapshot, publishedTimeUs, venueTimesUs: [venueTimeUs], count: 1 };
    this.#meterOf(event.topic).batch(batch, 1, 0);
    handlers.event?.(event);
    if (event.type === "book" && handlers.book !== undefined) {
      handlers.book(bookAfter(event, attachment));
    }
  }
}

/** The name or pattern by which a consumer has a topic. */
function requestedOf(topics: readonly string[], topic: string): string {
  if (topics.includes(topic)) return topic;
  return topics.find((asked) => isPattern(asked) && matchesPattern(asked, topic)) ?? topics[0]!;
}

function bookAfter(event: BookEvent, { books }: Attachment): LiveBook {
  let book = books.get(event.topic);
  if (book === undefined) {
    const { topic, venue, symbol, venueSymbol } = event;
    const source = new BookSource(new OrderBook());
    const info = { topic, venue, symbol, venueSymbol, channel: "book" } as const;
    book = { source, view: new LiveBook(info, source) };
    books.set(topic, book);
  }
  const { priceScale, sizeScale, bids, asks } = event;
  const change = { priceScale, sizeScale, bids: sideOf(bids), asks: sideOf(asks) };
  if (event.snapshot) book.source.book.applySnapshot(change);
  else book.source.book.applyDelta(change);
  book.source.update("live", event);
  return book.view;
}

function sideOf(levels: readonly BookLevel[]) {
  return {
    prices: levels.map(({ priceMantissa }) => priceMantissa),
    sizes: levels.map(({ sizeMantissa }) => sizeMantissa),
  };
}
