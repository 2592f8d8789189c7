import { ChainReader, WireError } from "@tickwire/proto/codec";
import type { BatchReading, DecodedBatch } from "@tickwire/proto/codec";
import type { ContinuityEvent, NoticeEvent } from "../events/stream-events.ts";
import type { TopicMeter } from "../stats/stream-stats.ts";
import type { ChannelPart, TopicContent, TopicHost } from "./channel.ts";
import type { Consumer } from "./consumer.ts";
import { PositionTracker, type Position } from "./position-tracker.ts";
import { isStateKnown, TOPIC_TABLE } from "./topic-machine.ts";
import type { TopicEvent, TopicStage } from "./topic-machine.ts";
import { isFit, TopicMove, type TopicStand } from "./topic-move.ts";
import { gapNotice, lossBetween } from "./topic-notices.ts";
import { continuityNotice } from "./continuity-notice.ts";
import type { TopicInfo } from "./topic.ts";
import type { StreamCounters } from "./stream-counters.ts";

/** How a subscription was answered. */
type TopicStart = {
  readonly topicId: number;
  readonly position: Position | undefined;
  readonly continuity: "new" | "resumed" | "replaced";
  /** Where the epoch of the last position ended, if the gateway knows. */
  readonly ended?: Position | undefined;
  /** Of a resume: events that were missed, and follow. */
  readonly recovered?: number;
};

/** What reading bytes that are no batch comes to. */
type Unreadable = { readonly outcome: "lost"; readonly reason: "malformed-batch" };

/** What a topic is made with besides what the gateway says of it. */
type TopicParts = {
  /** The channel of the topic. */
  readonly part: ChannelPart;
  readonly counters: StreamCounters;
  /** For the client's statistics. */
  readonly meter?: TopicMeter | undefined;
  /** Asks for the topic again. */
  readonly resync: (stream: TopicStream) => void;
  /** Nothing more is wanted of the old connection. */
  readonly moved: (stream: TopicStream) => void;
};

/**
 * One topic on this client: proves continuity, and gives its content what follows. What happens in
 * which stage is said by TOPIC_TABLE; this class does it.
 */
export class TopicStream implements TopicHost {
  readonly info: TopicInfo;
  /** 0 while the gateway sends nothing for it. */
  topicId = 0;
  /** That on the old connection while the topic moves, else 0. */
  oldTopicId = 0;
  readonly #parts: TopicParts;
  readonly #tracker = new PositionTracker();
  /** The chain of this subscription: batches go on from one another. */
  #reader: ChainReader;
  readonly #counters: StreamCounters;
  readonly #content: TopicContent;
  #move: TopicMove | undefined;
  /** Of the batch at hand. */
  #batchBytes = 0;
  /** From where it was last asked for. */
  #asked: Position | undefined;
  /** What the last failed resume was reported to have lost: up to this sequence of this epoch. */
  #reported: Position = { epoch: 0, sequence: 0 };
  /** Where the topic stands. */
  stage: TopicStage = "syncing";
  /** Who is told from now on. */
  consumers: readonly Consumer[] = [];
  /** Of a book: its levels are not, or may not be, those of the view that is asked for. */
  needsWhole = false;
  /** What the gateway sends is of the view that was asked for last. */
  #isViewCurrent = true;

  constructor(info: TopicInfo, parts: TopicParts) {
    this.info = info;
    this.#parts = parts;
    this.#reader = createReader(parts.part);
    this.#counters = parts.counters;
    this.#content = parts.part.open(this);
  }

  /** Where to resume; undefined if there is nothing to go on from. */
  get resumePosition(): Position | undefined {
    return isStateKnown(this.stage) ? this.#tracker.position : undefined;
  }

  /** Up to where everything came or was told missing; undefined before the first start. */
  get #toldPosition(): Position | undefined {
    const { position, announcedFromHere } = this.#tracker;
    return position && { ...position, sequence: Math.max(position.sequence, announcedFromHere) };
  }

  /** Whether some connection brings it. */
  get isServed(): boolean {
    return this.topicId !== 0 || this.#move !== undefined;
  }

  /** It is asked for, as every event and level or not; the result is where to resume. */
  ask(isRaw: boolean): Position | undefined {
    this.#asked = this.resumePosition;
    // A view goes on from exactly there, so what the old connection brings has to wait.
    if (this.#move !== undefined && (!isRaw || this.needsWhole)) this.#move.held ??= [];
    return this.#asked;
  }

  /** Another connection takes over, and the old one goes on until it has come as far. */
  leave(): void {
    const { topicId } = this;
    this.topicId = 0;
    const reader = this.#reader;
    this.#reader = createReader(this.#parts.part);
    if (topicId === 0 || !isStateKnown(this.stage)) return;
    this.oldTopicId = topicId;
    this.#move = new TopicMove(reader);
  }

  /** Gives a consumer that joins a running topic the state that the others already have. */
  catchUp(consumer: Consumer): void {
    if (consumer.closed) return;
    // A consumer may wait for the start of its topic, and this topic has started already.
    if (this.isServed) {
      consumer.handlers.notice?.(this.#continuityNotice("new", "joined"));
    }
    this.#content.catchUp(consumer);
  }

  /** The gateway subscribed it: batches with this id follow. */
  start({ topicId, continuity, position, ended, recovered = 0 }: TopicStart): void {
    this.topicId = topicId;
    this.#isViewCurrent = true;
    this.#reader.reset();
    if (this.#move !== undefined) {
      this.#answerMove(this.#move, continuity === "resumed" ? this.#asked : position);
      return;
    }
    const before = this.#toldPosition;
    // Whatever the gateway calls it, to a topic that had a place a new start is a loss: also to one
    // whose state never came, because nobody was given what followed its first start.
    const outcome = continuity === "new" && before !== undefined ? "replaced" : continuity;
    if (outcome === "resumed") {
      this.step("resumed");
    } else {
      if (outcome === "replaced") this.#reportLoss(before, position, ended);
      this.#content.forget();
      this.step("anew");
      if (position !== undefined) this.#tracker.start(position);
    }
    // Other topics have no state that would have to come first.
    if (this.#content.isWhole) this.step("whole");
    if (outcome === "new") this.noticeContinuity(outcome, "subscribed");
    else this.#noticeOutcome(outcome, recovered);
  }

  /** Tells what became of what was missed, and counts it. */
  #noticeOutcome(
    continuity: "resumed" | "replaced",
    recoveredEvents: number,
    reason = "subscribed",
  ): void {
    const notice = this.#continuityNotice(continuity, reason);
    if (continuity === "replaced") {
      this.#counters.replaced += 1;
      this.notice({ ...notice, outcome: "replaced" });
    } else if (recoveredEvents === 0) {
      this.#counters.preserved += 1;
      this.notice({ ...notice, outcome: "preserved" });
    } else {
      this.#counters.recovered += 1;
      this.#counters.recoveredEvents += recoveredEvents;
      this.notice({ ...notice, outcome: "recovered", recoveredEvents });
    }
  }

  #answerMove(move: TopicMove, reach: Position | undefined): void {
    move.answered(reach);
    // Nothing has come since it was asked for, but for what waits.
    if (this.#settleIfReached()) return;
    this.#release(move);
  }

  /** The new connection has come as far as the topic: the old one is needed no more. */
  #settleIfReached(): boolean {
    if (this.#move?.isAt(this.#stand) !== true) return false;
    this.#settle();
    return true;
  }

  #settle(): void {
    this.#endMove();
    this.#noticeOutcome("resumed", 0, "moved");
  }

  #endMove(): void {
    this.#move = undefined;
    this.#parts.moved(this);
    this.oldTopicId = 0;
  }

  /** Takes what has waited: the new connection does not go on from where it was asked. */
  #release(move: TopicMove): void {
    const held = move.held ?? [];
    move.held = undefined;
    for (const { bytes, start, end } of held) this.receiveOld(bytes, start, end);
  }

  /** As `receive`, of the old connection. */
  receiveOld(bytes: Uint8Array, start: number, end: number): void {
    const move = this.#move;
    if (move === undefined || move.hold({ bytes, start, end })) return;
    if (move.held !== undefined) this.#release(move);
    const reading = this.#read(move.reader, bytes, start, end);
    if (reading.outcome !== "read") {
      this.oldEnded();
      return;
    }
    this.#take(reading.batch);
    this.#settleIfReached();
  }

  /** What the old connection says besides comes after what it has brought. */
  catchUpWithOld(): void {
    if (this.#move !== undefined) this.#release(this.#move);
  }

  /** The old connection brings nothing more. */
  oldEnded(): void {
    if (this.#move === undefined) return;
    this.#release(this.#move);
    // What was released may have ended the move.
    const move = this.#move as TopicMove | undefined;
    if (move === undefined) return;
    const goesOn = this.topicId === 0 || move.continues(this.#stand);
    this.#endMove();
    if (!goesOn) this.loseContinuity("gap", "moved");
    else if (this.topicId !== 0) this.#noticeOutcome("resumed", 0, "moved");
  }

  get #stand(): TopicStand | undefined {
    const position = this.resumePosition;
    const { needsWhole } = this;
    return position && { position, isBook: !this.#content.isWhole, needsWhole };
  }

  /** Another view is asked for. */
  viewAsked(isOfOtherDepth: boolean): void {
    if (!isOfOtherDepth) return;
    this.needsWhole = true;
    this.#isViewCurrent = false;
  }

  /** What follows is of the view that was asked for last. */
  viewCame(): void {
    this.#isViewCurrent = true;
  }

  /** The connection is gone; the position stays for the resume. */
  disconnect(): void {
    this.topicId = 0;
    this.#move = undefined;
    this.oldTopicId = 0;
    this.#reader.reset();
    this.step("disconnect");
  }

  /** The gateway says that these sequences were not delivered. */
  announceMissing(first: number, last: number, isOld = false): void {
    if (this.#move !== undefined && !isOld) {
      this.#move.announceMissing(first, last);
      return;
    }
    const { epoch, sequence } = this.#tracker;
    // After a resume that failed, the gateway says what the positions said already.
    if (this.#reported.epoch === epoch && last <= this.#reported.sequence) return;
    this.#tracker.announceMissing(first, last);
    const loss = { epoch, missingFirst: first, missingLast: last } as const;
    this.notice(gapNotice(this.info, { ...loss, reason: "server-dropped" }));
    if (!this.#content.isWhole && last > sequence) this.step("missing");
  }

  /** The gateway says that the topic goes on in another epoch, and where the one before ended. */
  changeEpoch(
    start: Position,
    {
      missingLast,
      continues,
      isOld = false,
    }: {
      readonly missingLast: number;
      readonly continues: boolean;
      /** Said by the connection that the client is leaving. */
      readonly isOld?: boolean;
    },
  ): void {
    if (this.#move !== undefined && !isOld) {
      this.#move.answered(start);
      return;
    }
    const { position } = this.#tracker;
    if (this.stage === "suspended" || this.stage === "disconnected") return;
    // Without a loss, that is where it ended.
    const sequence = Math.max(missingLast, position?.sequence ?? 0);
    const ended = position && { ...position, sequence };
    const told = this.#toldPosition;
    this.#tracker.start(start);
    if (continues && missingLast === 0 && sequence === start.sequence) {
      this.#reader.reset();
      this.#noticeOutcome("resumed", 0, "publisher-changed");
      return;
    }
    this.#beginEpoch(told, ended);
  }

  /** The gateway says what the levels of a book come to at this position. */
  verify({ epoch, sequence }: Position, crc32: number): void {
    const { position } = this.#tracker;
    const isHere = position?.epoch === epoch && position.sequence === sequence;
    if (this.stage !== "live" || !isHere || this.#content.checksum === undefined) return;
    if (this.#content.checksum() === crc32) return;
    this.#counters.checksumMismatches += 1;
    // The position is right, and what was made of the events is not.
    this.needsWhole = true;
    this.loseContinuity("gap", "checksum-mismatch");
  }

  /** Tells every consumer. */
  notice(notice: NoticeEvent): void {
    this.#parts.meter?.notice(notice);
    for (const consumer of this.consumers) consumer.handlers.notice?.(notice);
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
    if (this.stage === "suspended" || this.stage === "disconnected") return;
    const reading = this.#read(this.#reader, bytes, start, end);
    if (this.#move !== undefined) {
      if (!this.#move.takesOver(reading, this.#stand)) return;
      this.#settle();
    }
    switch (reading.outcome) {
      case "read":
        this.#take(reading.batch);
        return;
      case "unknown-channel":
        // The topic is of a known channel, so its gateway contradicts itself.
        this.loseContinuity("gap", "unknown-channel");
        return;
      case "lost":
        this.loseContinuity("gap", reading.reason);
    }
  }

  #read(
    reader: ChainReader,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): BatchReading | Unreadable {
    this.#batchBytes = end - start;
    try {
      return reader.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { outcome: "lost", reason: "malformed-batch" };
    }
  }

  #take(batch: DecodedBatch): void {
    const tracker = this.#tracker;
    if (!this.#content.isWhole && !isFit(batch, tracker.position)) {
      this.loseContinuity("gap", "overlapping-change");
      return;
    }
    const announced = tracker.announcedFromHere;
    switch (tracker.observe(batch)) {
      case "duplicate":
        this.#counters.duplicateEvents += batch.count;
        return;
      case "loss":
        this.#reportMissing(tracker.before);
        break;
      case "restart":
        this.#beginEpoch(tracker.before);
        break;
      case "state":
        this.#reportReplaced(tracker.before, announced);
        break;
      case "next":
        break;
    }
    if (batch.skipped !== 0) this.#countConflated(batch, tracker.before);
    const { skip } = tracker;
    this.#counters.duplicateEvents += skip;
    const events = batch.count - skip;
    this.#counters.events += events;
    this.#parts.meter?.batch(batch, events, this.#batchBytes);
    this.#content.deliver(batch, skip);
  }

  #countConflated({ epoch, firstSequence, skipped }: DecodedBatch, before: Position | undefined) {
    // What was conflated away may reach back to what is here already.
    const from = before?.epoch === epoch ? before.sequence : 0;
    const first = Math.max(firstSequence - 1 - skipped, from);
    this.#counters.conflatedEvents += Math.max(0, firstSequence - 1 - first);
  }

  /** The publisher's events did not reach the gateway: they will not come, and the book is void. */
  #reportMissing(before: Position | undefined): void {
    if (before === undefined) return;
    const { epoch, sequence } = before;
    const missing = { missingFirst: sequence + 1, missingLast: this.#tracker.lostTo };
    this.notice(gapNotice(this.info, { epoch, ...missing, reason: "sequence-gap" }));
    if (this.#content.isWhole) this.#counters.gaps += 1;
    else this.step("missing");
  }

  /** Moves to the next stage, and shows it where it is to be shown. */
  step(event: TopicEvent): void {
    const [next, action] = TOPIC_TABLE[this.stage][event];
    this.stage = next;
    if (event === "whole" && this.#isViewCurrent) this.needsWhole = false;
    if (action === "show" || action === "ask") this.#content.show(next);
  }

  /** Where the epoch before ended is not known if nobody said it. */
  #beginEpoch(before: Position | undefined, ended?: Position): void {
    this.#content.forget();
    this.step("restart");
    if (this.#content.isWhole) this.step("whole");
    this.#reportLoss(before, this.#tracker.position, ended);
    this.noticeContinuity("replaced", "epoch-changed");
  }

  /** Something is missing, or cannot be shown: asks for the topic again. */
  loseContinuity(event: "gap" | "change", reason: string): void {
    this.#counters.gaps += 1;
    if (this.#move !== undefined) this.#endMove();
    this.step(event);
    this.noticeContinuity("resyncing", reason);
    this.#parts.resync(this);
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

/** Nobody keeps a batch: events are made of it at once. */
function createReader({ payloads }: ChannelPart): ChainReader {
  return new ChainReader(payloads, { reusesSingles: true });
}
