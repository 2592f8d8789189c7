import { OrderBook } from "@tickwire/proto/model";
import { BatchReader, bookRowsOf, WireError } from "@tickwire/proto/codec";
import type { BatchReading, DecodedBatch } from "@tickwire/proto/codec";
import { BookSource, LiveBook } from "../events/book.ts";
import { bookEvent, bookMarkOf, eventOf, wholeBookEvent } from "../events/events.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { ContinuityEvent, NoticeEvent } from "../events/stream-events.ts";
import type { Consumer } from "./consumer.ts";
import { PositionTracker, type Position } from "./position-tracker.ts";
import { BOOK_STATE, isStateKnown, TOPIC_TABLE } from "./topic-machine.ts";
import type { TopicAction, TopicEvent, TopicStage } from "./topic-machine.ts";
import { continuityNotice, gapNotice, lossBetween } from "./topic-notices.ts";
import type { TopicInfo } from "./topic.ts";

type BooksBatch = Extract<DecodedBatch, { kind: "books" }>;

/** How a subscription was answered. */
type TopicStart = {
  readonly topicId: number;
  readonly position: Position | undefined;
  readonly continuity: "new" | "resumed" | "replaced";
  /** Where the epoch of the last position ended, if the gateway knows. */
  readonly ended?: Position | undefined;
};

/** Counts over the life of a client. */
export type ClientCounters = {
  /** Market events received, each once, whatever the number of consumers. */
  readonly events: number;
  /** Events that came again after a resume and were left out. */
  readonly duplicateEvents: number;
  /** Batches whose place in their topic could not be proven. */
  readonly gaps: number;
  /** Batches with a topic id that this client never had. */
  readonly unknownTopicBatches: number;
};

/** The same for those who count. */
export type StreamCounters = { -readonly [Name in keyof ClientCounters]: ClientCounters[Name] };

/** What reading bytes that are no batch comes to. */
type Unreadable = { readonly outcome: "lost"; readonly reason: "malformed-batch" };

/** A book that is maintained, and the view of it that consumers have. */
type Maintained = { readonly source: BookSource; readonly view: LiveBook };

/**
 * One topic on this client: proves continuity, maintains the book, hands on to every consumer. What
 * happens in which stage is said by TOPIC_TABLE; this class does it.
 */
export class TopicStream {
  readonly info: TopicInfo;
  /** 0 while the gateway sends nothing for it. */
  topicId = 0;
  readonly #tracker = new PositionTracker();
  /** The chain of this subscription: batches go on from one another. */
  readonly #reader = new BatchReader();
  readonly #counters: StreamCounters;
  readonly #requestResync: (stream: TopicStream) => void;
  readonly #latest = new Map<string, MarketEvent>();
  /** Of the channel `book` only. */
  readonly #maintained: Maintained | undefined;
  /** Whether the channel is a state, so that a consumer who joins late gets the latest of it. */
  readonly #remembers: boolean;
  #stage: TopicStage = "syncing";
  #consumers: readonly Consumer[] = [];
  #hasEventConsumers = false;
  /** What the last failed resume was reported to have lost: up to this sequence of this epoch. */
  #reported: Position = { epoch: 0, sequence: 0 };

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
      const source = new BookSource(new OrderBook());
      this.#maintained = { source, view: new LiveBook(info, source) };
    }
  }

  /** Where the topic stands. */
  get stage(): TopicStage {
    return this.#stage;
  }

  /** Where to resume; undefined if there is nothing to go on from. */
  get resumePosition(): Position | undefined {
    return isStateKnown(this.#stage) ? this.#tracker.position : undefined;
  }

  /** Who is told from now on. */
  setConsumers(consumers: readonly Consumer[]): void {
    this.#consumers = consumers;
    this.#hasEventConsumers = consumers.some(({ handlers }) => handlers.event !== undefined);
  }

  /** Gives a consumer that joins a running topic the state that the others already have. */
  catchUp(consumer: Consumer): void {
    if (consumer.closed) return;
    const { event, book, notice } = consumer.handlers;
    // A consumer may wait for the start of its topic, and this topic has started already.
    if (this.topicId !== 0) notice?.(this.#continuityNotice("new", "joined"));
    if (this.#maintained !== undefined && this.#stage === "live") {
      const { source, view } = this.#maintained;
      book?.(view);
      event?.(wholeBookEvent(this.info, view, source.book));
    }
    if (event !== undefined) for (const latest of this.#latest.values()) event(latest);
  }

  /** The gateway subscribed it: batches with this id follow. */
  start({ topicId, continuity, position, ended }: TopicStart): void {
    this.topicId = topicId;
    this.#reader.reset();
    const before = this.resumePosition;
    // Whatever the gateway calls it, to a topic that had a place a new start is a loss.
    const outcome = continuity === "new" && before !== undefined ? "replaced" : continuity;
    if (outcome === "resumed") {
      this.#step("resumed");
    } else {
      if (outcome === "replaced") this.#reportLoss(before, position, ended);
      this.#latest.clear();
      this.#step("anew");
      if (position !== undefined) this.#tracker.start(position);
    }
    // Other topics have no state that would have to come first.
    if (this.#maintained === undefined) this.#step("whole");
    this.noticeContinuity(outcome, "subscribed");
  }

  /** The connection is gone; the position stays for the resume. */
  disconnect(): void {
    this.topicId = 0;
    this.#reader.reset();
    this.#step("disconnect");
  }

  /** The gateway says that these sequences were not delivered. */
  announceMissing(first: number, last: number): void {
    const { epoch, sequence } = this.#tracker;
    // After a resume that failed, the gateway says what the positions said already.
    if (this.#reported.epoch === epoch && last <= this.#reported.sequence) return;
    this.#tracker.announceMissing(first, last);
    const loss = { epoch, missingFirst: first, missingLast: last } as const;
    this.notice(gapNotice(this.info, { ...loss, reason: "server-dropped" }));
    if (this.#maintained !== undefined && last > sequence) this.#step("missing");
  }

  /** The gateway says that the topic goes on in another epoch, and where the one before ended. */
  changeEpoch(start: Position, missingLast: number): void {
    const { position, announcedFromHere } = this.#tracker;
    if (this.#stage === "suspended" || this.#stage === "disconnected") return;
    // Without a loss, that is where it ended.
    const sequence = Math.max(missingLast, position?.sequence ?? 0);
    const ended = position && { ...position, sequence };
    const told = position && Math.max(position.sequence, announcedFromHere);
    this.#tracker.start(start);
    this.#beginEpoch(position && { ...position, sequence: told ?? 0 }, ended);
  }

  /** Tells every consumer. */
  notice(notice: NoticeEvent): void {
    for (const consumer of this.#consumers) consumer.handlers.notice?.(notice);
  }

  /** Tells every consumer how the topic goes on. */
  noticeContinuity(continuity: ContinuityEvent["continuity"], reason: string): void {
    this.notice(this.#continuityNotice(continuity, reason));
  }

  /**
   * Takes the next batch of the topic, which is bytes[start..end). One that cannot be read costs
   * this topic its place, and no other topic anything.
   */
  receive(bytes: Uint8Array, start: number, end: number): void {
    // Nobody can prove what a batch follows that comes without a subscription.
    if (this.#stage === "suspended" || this.#stage === "disconnected") return;
    const reading = this.#read(bytes, start, end);
    switch (reading.outcome) {
      case "read":
        this.#take(reading.batch);
        return;
      case "unknown-channel":
        // The topic is of a known channel, so its gateway contradicts itself.
        this.#loseContinuity("gap", "unknown-channel");
        return;
      case "lost":
        this.#loseContinuity("gap", reading.reason);
    }
  }

  #read(bytes: Uint8Array, start: number, end: number): BatchReading | Unreadable {
    try {
      return this.#reader.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { outcome: "lost", reason: "malformed-batch" };
    }
  }

  #take(batch: DecodedBatch): void {
    const { position } = this.#tracker;
    const announced = this.#tracker.announcedFromHere;
    switch (this.#tracker.observe(batch)) {
      case "duplicate":
        this.#counters.duplicateEvents += batch.count;
        return;
      case "loss":
        this.#reportMissing(position);
        break;
      case "restart":
        this.#beginEpoch(position);
        break;
      case "state":
        this.#reportReplaced(position, announced);
        break;
      case "next":
        break;
    }
    this.#counters.duplicateEvents += this.#tracker.skip;
    this.#deliver(batch, this.#tracker.skip);
  }

  /** The publisher's events did not reach the gateway: they will not come, and the book is void. */
  #reportMissing(before: Position | undefined): void {
    if (before === undefined) return;
    const { epoch, sequence } = before;
    const missing = { missingFirst: sequence + 1, missingLast: this.#tracker.lostTo };
    this.notice(gapNotice(this.info, { epoch, ...missing, reason: "sequence-gap" }));
    if (this.#maintained === undefined) this.#counters.gaps += 1;
    else this.#step("missing");
  }

  /** Moves to the next stage, and shows it where it is to be shown. */
  #step(event: TopicEvent): TopicAction {
    const [next, action] = TOPIC_TABLE[this.#stage][event];
    this.#stage = next;
    if (action === "show" || action === "ask") {
      this.#maintained?.source.update(BOOK_STATE[next]);
      this.#deliverView();
    }
    return action;
  }

  /** Where the epoch before ended is not known if nobody said it. */
  #beginEpoch(before: Position | undefined, ended?: Position): void {
    this.#latest.clear();
    this.#step("restart");
    if (this.#maintained === undefined) this.#step("whole");
    this.#reportLoss(before, this.#tracker.position, ended);
    this.noticeContinuity("replaced", "epoch-changed");
  }

  #deliver(batch: DecodedBatch, from: number): void {
    this.#counters.events += batch.count - from;
    if (batch.kind === "books") {
      if (this.#maintained !== undefined) this.#deliverBooks(batch, from, this.#maintained);
      return;
    }
    for (let index = from; index < batch.count; index++) {
      const event = eventOf(this.info, batch, index);
      if (this.#remembers) this.#latest.set(memoryKey(event), event);
      this.#deliverEvent(event);
    }
  }

  #deliverBooks(batch: BooksBatch, from: number, { source }: Maintained): void {
    const { book } = source;
    const rows = bookRowsOf(batch);
    for (let index = from; index < batch.count; index++) {
      const change = rows[index]!;
      if (change.snapshot) {
        this.#step("whole");
        book.applySnapshot(change);
      } else if (isStateKnown(this.#stage)) {
        this.#step("change");
        book.applyDelta(change);
      } else {
        // A change to a book that is not there cannot be shown.
        this.#loseContinuity("change", "no-snapshot");
        return;
      }
      if (this.#hasEventConsumers) {
        this.#deliverEvent(bookEvent(this.info, batch, index, change));
      }
    }
    if (batch.count > from) {
      source.update("live", bookMarkOf(batch, batch.count - 1));
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
    if (this.#maintained === undefined) return;
    for (const consumer of this.#consumers) consumer.handlers.book?.(this.#maintained.view);
  }

  #loseContinuity(event: "gap" | "change", reason: string): void {
    this.#counters.gaps += 1;
    this.#step(event);
    this.noticeContinuity("resyncing", reason);
    this.#requestResync(this);
  }

  #reportLoss(
    before: Position | undefined,
    now: Position | undefined,
    ended: Position | undefined,
  ): void {
    if (before === undefined) return;
    const loss = lossBetween(before, now, ended);
    if (loss === undefined) return;
    if (now?.epoch === loss.epoch) this.#reported = now;
    this.notice(gapNotice(this.info, loss));
  }

  /** A state came in the midst of the topic: events that it stands for did not come one by one. */
  #reportReplaced(before: Position | undefined, announced: number): void {
    if (before === undefined) return;
    const now = this.#tracker.position;
    const loss = lossBetween({ ...before, sequence: Math.max(before.sequence, announced) }, now);
    if (loss === undefined || now === undefined) return;
    const isRestart = loss.missingLast === undefined;
    if (!isRestart) this.#reported = now;
    this.notice(gapNotice(this.info, isRestart ? loss : { ...loss, reason: "sequence-gap" }));
    if (isRestart) this.noticeContinuity("replaced", "epoch-changed");
  }

  #continuityNotice(continuity: ContinuityEvent["continuity"], reason: string): ContinuityEvent {
    const { epoch, sequence } = this.#tracker;
    return continuityNotice(this.info, { epoch, sequence }, continuity, reason);
  }
}

/**
 * What of a topic is a state of its own: every channel of a status topic, every candle interval.
 */
function memoryKey(event: MarketEvent): string {
  if (event.type === "status") return event.channel;
  return event.type === "candle" ? String(event.intervalMs) : "";
}
