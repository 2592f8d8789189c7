import { BOOKS_PAYLOAD, bookRowsOf, payloadTable, type DecodedBatch } from "@tickwire/proto/codec";
import { bookChecksum, CHECKSUM_LEVELS_MAX, OrderBook } from "@tickwire/proto/model";
import { BookSource, LiveBook } from "../events/book.ts";
import { bookEvent, bookMarkOf, wholeBookEvent } from "../events/book-events.ts";
import { BOOK_STATE } from "./book-state.ts";
import type { ChannelPart, TopicContent, TopicHost } from "./channel.ts";
import type { Consumer } from "./consumer.ts";
import { isStateKnown, type TopicStage } from "./topic-machine.ts";

type BooksBatch = Extract<DecodedBatch, { kind: "books" }>;

/** Books, as events and maintained. */
export const BOOK_CHANNEL: ChannelPart = {
  name: "book",
  payloads: /* @__PURE__ */ payloadTable([BOOKS_PAYLOAD]),
  open: (host) => new BookContent(host),
};

class BookContent implements TopicContent {
  readonly isWhole = false;
  readonly #host: TopicHost;
  readonly #source = new BookSource(new OrderBook());
  readonly #view: LiveBook;

  constructor(host: TopicHost) {
    this.#host = host;
    this.#view = new LiveBook(host.info, this.#source);
  }

  deliver(batch: DecodedBatch, from: number): void {
    const { info } = this.#host;
    const { book } = this.#source;
    const hasEventConsumers = this.#host.consumers.some(
      ({ handlers }) => handlers.event !== undefined,
    );
    const rows = bookRowsOf(batch as BooksBatch);
    for (let index = from; index < batch.count; index++) {
      const change = rows[index]!;
      if (change.snapshot) {
        this.#host.step("whole");
        book.applySnapshot(change);
      } else if (isStateKnown(this.#host.stage)) {
        this.#host.step("change");
        book.applyDelta(change);
      } else {
        // A change to a book that is not there cannot be shown.
        this.#host.loseContinuity("change", "no-snapshot");
        return;
      }
      if (!hasEventConsumers) continue;
      const event = bookEvent(info, batch, index, change);
      for (const { handlers } of this.#host.consumers) handlers.event?.(event);
    }
    if (batch.count > from) {
      this.#source.update("live", bookMarkOf(batch, batch.count - 1));
      this.#deliverView();
    }
  }

  catchUp({ handlers: { book, event } }: Consumer): void {
    if (this.#host.stage !== "live") return;
    book?.(this.#view);
    event?.(wholeBookEvent(this.#host.info, this.#view, this.#source.book));
  }

  forget(): void {
    // The state that comes replaces the book, which is not shown until then.
  }

  checksum(): number {
    const { book } = this.#source;
    const { priceScale, sizeScale } = book;
    const [bids, asks] = [book.bids(CHECKSUM_LEVELS_MAX), book.asks(CHECKSUM_LEVELS_MAX)];
    return bookChecksum({ priceScale, sizeScale, bids, asks });
  }

  show(stage: TopicStage): void {
    this.#source.update(BOOK_STATE[stage]);
    this.#deliverView();
  }

  #deliverView(): void {
    for (const { handlers } of this.#host.consumers) handlers.book?.(this.#view);
  }
}
