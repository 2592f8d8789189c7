import { OrderBook } from "@tickwire/proto/model";
import type { ConnectionError } from "../errors.ts";
import { BookSource, LiveBook } from "../events/book.ts";
import type { BookLevel } from "../events/event-fields.ts";
import type { BookEvent, MarketEvent } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
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

/**
 * Several consumers of a tab may have a topic, and each gets all of it from the worker; what one of
 * them gets counts.
 */
type Counted = {
  /** Of the consumer. */
  readonly id: number;
  /** When the batch was published that the last event came in. */
  publishedTimeUs: number;
};

/** Events that may wait in the worker for one consumer of this tab. */
const WAITING_EVENTS_MAX = 10_000;

/** What a tab has subscribed, with the worker in place of a gateway. */
export class RemoteSubscriptions {
  readonly counters: StreamCounters = createStreamCounters();
  readonly #post: (message: TabMessage) => void;
  readonly #meterOf: (topic: string) => TopicMeter;
  readonly #attachments = new Map<number, Attachment>();
  /** By topic. */
  readonly #counted = new Map<string, Counted>();
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
    if ("event" in item) {
      this.#count(item.id, item.event);
      takeEvent(item.event, attachment);
    } else if ("notice" in item) {
      this.#countNotice(item.id, item.notice);
      consumer.handlers.notice?.(item.notice);
    } else if ("refused" in item) {
      consumer.refuse(requestedOf(topics, item.refused.topic), item.refused);
    } else if ("info" in item) consumer.check(requestedOf(topics, item.info.topic), item.info);
    else {
      this.#attachments.delete(item.id);
      consumer.close(item.ended && unpackError(item.ended));
    }
  }

  /** What counts of the topic, if it is what this consumer gets. */
  #countedOf(id: number, topic: string): Counted | undefined {
    const known = this.#counted.get(topic);
    if (known !== undefined && this.#attachments.has(known.id)) {
      return known.id === id ? known : undefined;
    }
    const counted = { id, publishedTimeUs: known?.publishedTimeUs ?? 0 };
    this.#counted.set(topic, counted);
    return counted;
  }

  #count(id: number, { topic, initial, publishedTimeUs, venueTimeUs }: MarketEvent): void {
    const counted = this.#countedOf(id, topic);
    if (counted === undefined) return;
    this.counters.events += 1;
    const meter = this.#meterOf(topic);
    if (counted.publishedTimeUs === publishedTimeUs) {
      meter.more(1);
      return;
    }
    counted.publishedTimeUs = publishedTimeUs;
    const batch = { snapshot: initial, publishedTimeUs, venueTimesUs: [venueTimeUs], count: 1 };
    // How many bytes it had, only the worker knows.
    meter.batch(batch, 1, 0);
  }

  #countNotice(id: number, notice: NoticeEvent): void {
    if (notice.type !== "gap" && notice.type !== "continuity") return;
    if (this.#countedOf(id, notice.topic) === undefined) return;
    this.#meterOf(notice.topic).notice(notice);
    const { counters } = this;
    if (notice.type === "gap") {
      counters.gaps += 1;
    } else if (notice.outcome !== undefined) {
      counters[notice.outcome] += 1;
      counters.recoveredEvents += notice.recoveredEvents ?? 0;
    }
  }
}

function takeEvent(event: MarketEvent, attachment: Attachment): void {
  const { handlers } = attachment.consumer;
  handlers.event?.(event);
  if (event.type === "book" && handlers.book !== undefined) {
    handlers.book(bookAfter(event, attachment));
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
