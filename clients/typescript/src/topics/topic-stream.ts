import { OrderBook } from "@tickwire/proto/model";
import { rowsOf, type BookRow, type DecodedBatch } from "@tickwire/proto/codec";
import { LiveBook, type BookState } from "../events/book.ts";
import type { Consumer } from "./consumer.ts";
import { bookMarkOf, eventOf, wholeBookEvent, type MarketEvent } from "../events/events.ts";
import { BookEvent } from "../events/hot-events.ts";
import { PositionTracker, type Position } from "./position-tracker.ts";
import type { ContinuityEvent, GapEvent, NoticeEvent } from "../events/stream-events.ts";
import type { TopicInfo } from "./topic.ts";

type BooksBatch = Extract<DecodedBatch, { kind: "books" }>;

/** How a subscription was answered. */
export type TopicStart = {
  readonly topicId: number;
  readonly position: Position | undefined;
  readonly continuity: "new" | "resumed" | "replaced";
};

/** Counts over the life of a client. */
export type StreamCounters = {
  /** Market events received, each once, whatever the number of consumers. */
  events: number;
  /** Events that came again after a resume and were left out. */
  duplicateEvents: number;
  /** Batches whose place in their topic could not be proven. */
  gaps: number;
  /** Batches with a topic id that this client never had. */
  unknownTopicBatches: number;
};

/** One topic on this client: proves continuity, maintains the book, hands on to every consumer. */
export class TopicStream {
  readonly info: TopicInfo;
  /** 0 while the gateway sends nothing for it. */
  topicId = 0;
  readonly #tracker = new PositionTracker();
  readonly #counters: StreamCounters;
  readonly #requestResync: (stream: TopicStream) => void;
  readonly #latest = new Map<string, MarketEvent>();
  readonly #book: OrderBook | undefined;
  readonly #view: LiveBook | undefined;
  #bookKnown = false;
  #consumers: readonly Consumer[] = [];
  #hasEventConsumers = false;
  /** Whether the channel is a state, so that a consumer who joins late gets the latest of it. */
  readonly #remembers: boolean;
  #reportedEpoch = 0;
  #reportedLast = 0;

  constructor(
    info: TopicInfo,
    counters: StreamCounters,
    requestResync: (stream: TopicStream) => void,
  ) {
    this.info = info;
    this.#counters = counters;
    this.#requestResync = requestResync;
    this.#remembers = info.channel !== "trades" && info.channel !== "liquidations";
    if (info.channel === "book") {
      this.#book = new OrderBook();
      this.#view = new LiveBook(info, this.#book);
    }
  }

  /** Where to resume; undefined if there is nothing to go on from. */
  get resumePosition(): Position | undefined {
    if (this.info.channel === "book" && !this.#bookKnown) return undefined;
    return this.#tracker.position;
  }

  setConsumers(consumers: readonly Consumer[]): void {
    this.#consumers = consumers;
    this.#hasEventConsumers = consumers.some(({ handlers }) => handlers.event !== undefined);
  }

  /** Gives a consumer that joins a running topic the state that the others already have. */
  catchUp(consumer: Consumer): void {
    if (consumer.closed) return;
    const { event, book, notice } = consumer.handlers;
    // Its own start, so that who waits for one does not wait for ever.
    if (this.topicId !== 0) notice?.(this.#continuityNotice("new", "joined"));
    if (this.#view !== undefined && this.#view.state === "live") {
      book?.(this.#view);
      if (event !== undefined && this.#book !== undefined) {
        event(wholeBookEvent(this.info, this.#view, this.#book));
      }
    }
    if (event !== undefined) for (const latest of this.#latest.values()) event(latest);
  }

  /** The gateway subscribed it: batches with this id follow. */
  start(start: TopicStart): void {
    this.topicId = start.topicId;
    const before = this.#tracker.position;
    const { continuity, position } = start;
    if (continuity === "resumed") {
      if (this.#view !== undefined && this.#bookKnown) this.#showBook("live");
    } else {
      if (continuity === "replaced") this.#reportLoss(before, position);
      this.#forgetState();
      if (position !== undefined) this.#tracker.start(position);
    }
    this.#noticeContinuity(continuity, "subscribed");
  }

  /** The connection is gone; the position stays for the resume. */
  disconnect(): void {
    this.topicId = 0;
    if (this.#view !== undefined && this.#view.state !== "disconnected") {
      this.#showBook("disconnected");
    }
  }

  /** The gateway says that these sequences were not delivered. */
  announceMissing(first: number, last: number): void {
    const { epoch, sequence } = this.#tracker;
    // After a resume that failed, the gateway says what the positions said already.
    if (this.#reportedEpoch === epoch && last <= this.#reportedLast) return;
    this.#tracker.announceMissing(first, last);
    this.#noticeGap({ epoch, missingFirst: first, missingLast: last, reason: "server-dropped" });
    if (this.#view !== undefined && this.#bookKnown && last > sequence) {
      this.#bookKnown = false;
      this.#showBook("resyncing");
    }
  }

  /** Tells every consumer. */
  notice(notice: NoticeEvent): void {
    for (const consumer of this.#consumers) consumer.handlers.notice?.(notice);
  }

  noticeContinuity(continuity: ContinuityEvent["continuity"], reason: string): void {
    this.#noticeContinuity(continuity, reason);
  }

  /** Takes the next batch of the topic. */
  receive(batch: DecodedBatch): void {
    const { epoch, sequence } = this.#tracker;
    const observation = this.#tracker.observe(batch);
    switch (observation) {
      case "duplicate":
        this.#counters.duplicateEvents += batch.count;
        return;
      case "gap":
        this.#counters.gaps += 1;
        this.#loseContinuity("sequence-gap");
        return;
      case "restart":
        this.#forgetState();
        this.#noticeGap({
          epoch,
          missingFirst: sequence + 1,
          missingLast: undefined,
          reason: "epoch-changed",
        });
        this.#noticeContinuity("replaced", "epoch-changed");
        break;
      case "state":
      case "next":
        break;
    }
    this.#counters.duplicateEvents += this.#tracker.skip;
    this.#deliver(batch, this.#tracker.skip);
  }

  #deliver(batch: DecodedBatch, from: number): void {
    this.#counters.events += batch.count - from;
    if (batch.kind === "books") {
      if (this.#book !== undefined) this.#deliverBooks(batch, from, this.#book);
      return;
    }
    for (let index = from; index < batch.count; index++) {
      const event = eventOf(this.info, batch, index);
      if (this.#remembers) this.#latest.set(memoryKey(event), event);
      this.#deliverEvent(event);
    }
  }

  #deliverBooks(batch: BooksBatch, from: number, book: OrderBook): void {
    const rows = rowsOf(batch).rows as readonly BookRow[];
    for (let index = from; index < batch.count; index++) {
      const change = rows[index]!;
      if (change.snapshot) {
        book.applySnapshot(change);
        this.#bookKnown = true;
      } else if (this.#bookKnown) {
        book.applyDelta(change);
      } else {
        // A change to a book that is not there cannot be shown.
        this.#counters.gaps += 1;
        this.#loseContinuity("no-snapshot");
        return;
      }
      if (this.#hasEventConsumers) {
        this.#deliverEvent(new BookEvent(this.info, batch, index, change));
      }
    }
    if (batch.count > from) {
      this.#view?.update("live", bookMarkOf(batch, batch.count - 1));
      this.#deliverView();
    }
  }

  #deliverEvent(event: MarketEvent): void {
    const consumers = this.#consumers;
    for (let index = 0; index < consumers.length; index++) {
      consumers[index]!.handlers.event?.(event);
    }
  }

  #deliverView(): void {
    if (this.#view === undefined) return;
    for (const consumer of this.#consumers) consumer.handlers.book?.(this.#view);
  }

  #showBook(state: BookState): void {
    this.#view?.update(state);
    this.#deliverView();
  }

  #loseContinuity(reason: string): void {
    if (this.#view !== undefined) this.#showBook("resyncing");
    this.#noticeContinuity("resyncing", reason);
    this.#requestResync(this);
  }

  #forgetState(): void {
    this.#latest.clear();
    if (this.#view === undefined) return;
    const wasKnown = this.#bookKnown;
    this.#bookKnown = false;
    if (wasKnown || this.#view.state === "disconnected") this.#showBook("resyncing");
  }

  #reportLoss(before: Position | undefined, now: Position | undefined): void {
    if (before === undefined) return;
    // Of a state only the latest counts; of events each.
    if (this.#remembers) return;
    if (now !== undefined && now.epoch === before.epoch) {
      if (now.sequence <= before.sequence) return;
      this.#reportedEpoch = now.epoch;
      this.#reportedLast = now.sequence;
      this.#noticeGap({
        epoch: before.epoch,
        missingFirst: before.sequence + 1,
        missingLast: now.sequence,
        reason: "not-resumable",
      });
      return;
    }
    this.#noticeGap({
      epoch: before.epoch,
      missingFirst: before.sequence + 1,
      missingLast: undefined,
      reason: "epoch-changed",
    });
  }

  #noticeGap(gap: Pick<GapEvent, "epoch" | "missingFirst" | "missingLast" | "reason">): void {
    const { topic, venue, symbol } = this.info;
    this.notice({ type: "gap", topic, venue, symbol, ...gap });
  }

  #noticeContinuity(continuity: ContinuityEvent["continuity"], reason: string): void {
    this.notice(this.#continuityNotice(continuity, reason));
  }

  #continuityNotice(continuity: ContinuityEvent["continuity"], reason: string): ContinuityEvent {
    const { topic, venue, symbol } = this.info;
    const { epoch, sequence } = this.#tracker;
    return { type: "continuity", topic, venue, symbol, continuity, epoch, sequence, reason };
  }
}

/**
 * What of a topic is a state of its own: every channel of a status topic, every candle interval.
 */
function memoryKey(event: MarketEvent): string {
  if (event.type === "status") return event.channel;
  return event.type === "candle" ? String(event.intervalMs) : "";
}
