import type { ContinuityEvent, NoticeEvent } from "../events/stream-events.ts";
import { PositionTracker, type Position } from "../topics/position-tracker.ts";
import { continuityNotice, gapNotice, lossBetween } from "../topics/topic-notices.ts";
import type { TopicInfo } from "../topics/topic.ts";
import { LiteReader, type BatchHead } from "./batch.ts";

/** Who reads a topic. None of these may throw. */
export type LiteConsumer = {
  readonly event: (event: never) => void;
  readonly notice: (notice: NoticeEvent) => void;
};

/** How a topic is wanted. */
export type TopicWish = {
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly conflationIntervalMs: number;
  /** Its events are states, of which who joins gets the latest. */
  readonly keepsLatest: boolean;
  /** Makes event `index` of a batch of the channel. */
  readonly eventOf: (info: TopicInfo, batch: never, index: number) => unknown;
};

/** How the gateway has answered for a topic. */
type LiteStart = {
  readonly id: number;
  readonly info: TopicInfo;
  readonly position: Position | undefined;
  readonly continuity: "new" | "resumed" | "replaced";
  /** Where the epoch of the last position ended, if the gateway knows. */
  readonly ended: Position | undefined;
  /** Of a resume: events that were missed, and follow. */
  readonly recovered: number;
};

/**
 * One topic: proves continuity, and hands on what follows. Its events stand for themselves, so that
 * it is at its place as soon as it has one. The rules are those of TopicStream.
 */
export class LiteTopic {
  /** As it was asked for. */
  readonly name: string;
  readonly consumers = new Set<LiteConsumer>();
  /** 0 while the gateway sends nothing for it. */
  id = 0;
  info: TopicInfo | undefined;
  /** Refusals that may pass, and losses, since it was last well. */
  troubles = 0;
  readonly #wish: TopicWish;
  readonly #reader = new LiteReader();
  readonly #tracker = new PositionTracker();
  /** Up to where the last failed resume was reported as lost. */
  #reported: Position = { epoch: 0, sequence: 0 };
  #latest: unknown;

  constructor(name: string, wish: TopicWish) {
    this.name = name;
    this.#wish = wish;
  }

  /** The gateway sends it at most once in so long. */
  get conflationIntervalMs(): number {
    return this.#wish.conflationIntervalMs;
  }

  /** Where to resume; undefined if there is nothing to go on from. */
  get position(): Position | undefined {
    return this.#tracker.position;
  }

  /** Up to where everything came or was told missing. */
  get #told(): Position | undefined {
    const { position, announcedFromHere } = this.#tracker;
    return position && { ...position, sequence: Math.max(position.sequence, announcedFromHere) };
  }

  /** Batches with this id follow. */
  start({ id, info, position, continuity, ended, recovered }: LiteStart): void {
    const before = this.#told;
    this.id = id;
    this.info = info;
    this.#reader.reset();
    // Whatever the gateway calls it, to a topic that had a place a new start is a loss.
    const outcome = continuity === "new" && before !== undefined ? "replaced" : continuity;
    if (outcome === "replaced") this.#reportLoss(before, position, ended);
    if (outcome !== "resumed") {
      this.#latest = undefined;
      if (position !== undefined) this.#tracker.start(position);
    }
    const notice = this.#continuityNotice(outcome, "subscribed");
    if (outcome === "new") this.notice(notice);
    else if (outcome === "replaced") this.notice({ ...notice, outcome });
    else if (recovered === 0) this.notice({ ...notice, outcome: "preserved" });
    else this.notice({ ...notice, outcome: "recovered", recoveredEvents: recovered });
  }

  /** The connection is gone; the position stays. */
  suspend(): void {
    this.id = 0;
    this.#reader.reset();
  }

  /** Gives a consumer that joins what the others already have. */
  catchUp(consumer: LiteConsumer): void {
    if (this.id !== 0) consumer.notice(this.#continuityNotice("new", "joined"));
    if (this.#latest !== undefined) consumer.event(this.#latest as never);
  }

  /** Tells every consumer. */
  notice(notice: NoticeEvent): void {
    for (const consumer of this.consumers) consumer.notice(notice);
  }

  /** Tells every consumer how it goes on. */
  tellContinuity(continuity: ContinuityEvent["continuity"], reason: string): void {
    this.notice(this.#continuityNotice(continuity, reason));
  }

  /** Takes the next batch. The result is why it cannot: the topic is to be asked for again. */
  receive(bytes: Uint8Array): string | undefined {
    let batch: BatchHead | undefined;
    try {
      batch = this.#reader.read(bytes);
    } catch {
      // Whatever is wrong with the bytes, the topic is asked for again.
      return "malformed-batch";
    }
    if (batch === undefined) return "sequence-residue";
    const { channel, keepsLatest, eventOf } = this.#wish;
    // Its gateway contradicts itself.
    if (batch.channel !== channel) return "unknown-channel";
    const tracker = this.#tracker;
    const { position, announcedFromHere } = tracker;
    const observation = tracker.observe(batch);
    if (observation === "duplicate") return undefined;
    if (observation === "loss") {
      const missing = { missingFirst: position!.sequence + 1, missingLast: tracker.lostTo };
      this.#tellGap({ epoch: batch.epoch, ...missing, reason: "sequence-gap" });
    } else if (observation === "restart") this.#restart(position);
    else if (observation === "state") this.#reportReplaced(position, announcedFromHere);
    this.troubles = 0;
    for (let index = tracker.skip; index < batch.count; index += 1) {
      const event = eventOf(this.info!, batch as never, index);
      if (keepsLatest) this.#latest = event;
      for (const consumer of this.consumers) consumer.event(event as never);
    }
    return undefined;
  }

  /** The gateway says that these sequences were not delivered. */
  announceMissing(missingFirst: number, missingLast: number): void {
    const { epoch } = this.#tracker;
    // After a resume that failed, the gateway says what the positions said already.
    if (this.#reported.epoch === epoch && missingLast <= this.#reported.sequence) return;
    this.#tracker.announceMissing(missingFirst, missingLast);
    this.#tellGap({ epoch, missingFirst, missingLast, reason: "server-dropped" });
  }

  /** The gateway says that the topic goes on in another epoch. */
  changeEpoch(start: Position, missingLast: number, continues: boolean): void {
    const { position } = this.#tracker;
    const sequence = Math.max(missingLast, position?.sequence ?? 0);
    const told = this.#told;
    this.#tracker.start(start);
    if (continues && missingLast === 0 && sequence === start.sequence) {
      this.#reader.reset();
      const notice = this.#continuityNotice("resumed", "publisher-changed");
      this.notice({ ...notice, outcome: "preserved" });
    } else this.#restart(told, position && { ...position, sequence });
  }

  #restart(before: Position | undefined, ended?: Position): void {
    this.#latest = undefined;
    this.#reportLoss(before, this.#tracker.position, ended);
    this.tellContinuity("replaced", "epoch-changed");
  }

  #reportLoss(before: Position | undefined, now: Position | undefined, ended?: Position): void {
    const loss = before && lossBetween(before, now, ended);
    if (loss === undefined) return;
    if (now?.epoch === loss.epoch) this.#reported = now;
    this.#tellGap(loss);
  }

  /** A state came in the midst: events that it stands for did not come one by one. */
  #reportReplaced(before: Position | undefined, announced: number): void {
    const now = this.#tracker.position!;
    const told = before && { ...before, sequence: Math.max(before.sequence, announced) };
    const loss = told && lossBetween(told, now);
    if (loss === undefined) return;
    const isRestart = loss.missingLast === undefined;
    if (!isRestart) this.#reported = now;
    this.#tellGap(isRestart ? loss : { ...loss, reason: "sequence-gap" });
    if (isRestart) this.tellContinuity("replaced", "epoch-changed");
  }

  #tellGap(loss: Parameters<typeof gapNotice>[1]): void {
    this.notice(gapNotice(this.info!, loss));
  }

  #continuityNotice(continuity: ContinuityEvent["continuity"], reason: string): ContinuityEvent {
    const [venue = "", symbol = ""] = this.name.split("/", 1)[0]!.split(":");
    const where = this.info ?? { topic: this.name, venue, symbol };
    return continuityNotice(where, this.#tracker, continuity, reason);
  }
}
