import type { ContinuityEvent, GapEvent, NoticeEvent } from "../events/stream-events.ts";
import type { Position } from "../topics/position-tracker.ts";
import { lossBetween } from "../topics/topic-notices.ts";
import { LiteReader, QUOTES, type Batch, type Names } from "./batch.ts";
import { applyTexts } from "./texts.ts";
import type { Fields } from "./wire.ts";

/** Who reads a topic. None of these may throw. */
export type LiteConsumer = {
  readonly event: (event: never) => void;
  readonly notice: (notice: NoticeEvent) => void;
};

/** How the gateway has answered for a topic. */
type LiteStart = {
  readonly names: Names;
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
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly conflationIntervalMs: number;
  readonly consumers = new Set<LiteConsumer>();
  /** 0 while the gateway sends nothing for it. */
  id = 0;
  /** As the gateway calls it. */
  names: Names;
  /** Refusals that may pass, and losses, since it was last well. */
  troubles = 0;
  /** Where to resume; undefined if there is nothing to go on from. */
  position: Position | undefined;
  /** Up to where everything came or was told missing, in the epoch of the position. */
  #told = 0;
  readonly #reader = new LiteReader(applyTexts);
  #latest: unknown;

  constructor(name: string, channel: number, conflationIntervalMs: number) {
    const [venue = "", symbol = ""] = name.split("/", 1)[0]!.split(":");
    this.name = name;
    this.names = { topic: name, venue, symbol, venueSymbol: "" };
    this.channel = channel;
    this.conflationIntervalMs = conflationIntervalMs;
  }

  /** Batches follow. */
  start({ names, position, continuity, ended, recovered }: LiteStart): void {
    const told = this.#toldPosition();
    this.names = names;
    this.#reader.reset();
    // Whatever the gateway calls it, to a topic that had a place a new start is a loss.
    const outcome = continuity === "new" && told !== undefined ? "replaced" : continuity;
    if (outcome !== "resumed") {
      this.#latest = undefined;
      if (position !== undefined) this.#moveTo(position);
      if (outcome === "replaced") this.#tellLoss(told, position, ended);
    }
    const preserved = { outcome: "preserved" } as const;
    this.tellContinuity(outcome, "subscribed", {
      ...(outcome === "replaced" && { outcome }),
      ...(outcome === "resumed" && preserved),
      ...(recovered > 0 && { outcome: "recovered", recoveredEvents: recovered }),
    });
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

  /** Tells every consumer how it goes on. */
  tellContinuity(
    continuity: ContinuityEvent["continuity"],
    reason: string,
    more?: Partial<ContinuityEvent>,
  ): void {
    this.#notice({ ...this.#continuityNotice(continuity, reason), ...more });
  }

  /** Takes the next batch. The result is why it cannot: the topic is to be asked for again. */
  receive(fields: Fields): string | undefined {
    let batch: Batch | undefined;
    try {
      batch = this.#reader.read(fields, this.names);
    } catch {
      // Whatever is wrong with the bytes, the topic is asked for again.
      return "malformed-batch";
    }
    if (batch === undefined) return "sequence-residue";
    // Its gateway contradicts itself.
    if (batch.channel !== this.channel) return "unknown-channel";
    const skip = this.#follow(batch);
    if (skip < 0) return undefined;
    this.troubles = 0;
    for (const event of batch.events.slice(skip)) {
      // Quotes are states, of which who joins gets the latest.
      if (this.channel === QUOTES) this.#latest = event;
      for (const consumer of this.consumers) consumer.event(event as never);
    }
    return undefined;
  }

  /** Moves behind a batch, telling what is missing. How many of its events are known; -1: all. */
  #follow({ epoch, firstSequence, count, skipped, snapshot }: Batch): number {
    const { position } = this;
    const told = this.#toldPosition();
    const last = snapshot ? firstSequence : firstSequence + count - 1;
    if (position?.epoch !== epoch) {
      this.#moveTo({ epoch, sequence: last });
      if (position !== undefined) this.#restart(told);
      return 0;
    }
    const { sequence } = position;
    if (last < sequence || (last === sequence && !snapshot)) return -1;
    // A state stands for all before it; others follow what was left out as the client asked.
    const missingLast = snapshot ? last : firstSequence - 1 - skipped;
    const missingFirst = this.#told + 1;
    this.#moveTo({ epoch, sequence: last });
    if (missingLast >= missingFirst) {
      this.#tellGap({ epoch, missingFirst, missingLast, reason: "sequence-gap" });
    }
    return snapshot ? 0 : Math.max(0, sequence + 1 - firstSequence);
  }

  /** The gateway says that these sequences were not delivered. */
  announceMissing(first: number, missingLast: number): void {
    // After a resume that failed, the gateway says what the positions said already.
    const missingFirst = Math.max(first, this.#told + 1);
    if (missingLast < missingFirst) return;
    if (missingFirst === this.#told + 1) this.#told = missingLast;
    const epoch = this.position?.epoch ?? 0;
    this.#tellGap({ epoch, missingFirst, missingLast, reason: "server-dropped" });
  }

  /** The gateway says that the topic goes on in another epoch. */
  changeEpoch(start: Position, missingLast: number, continues: boolean): void {
    const { position } = this;
    const told = this.#toldPosition();
    const sequence = Math.max(missingLast, position?.sequence ?? 0);
    this.#moveTo(start);
    if (continues && missingLast === 0 && sequence === start.sequence) {
      this.#reader.reset();
      this.tellContinuity("resumed", "publisher-changed", { outcome: "preserved" });
    } else this.#restart(told, position && { ...position, sequence });
  }

  #toldPosition(): Position | undefined {
    return this.position && { ...this.position, sequence: this.#told };
  }

  #moveTo(position: Position): void {
    const told = position.epoch === this.position?.epoch ? this.#told : 0;
    this.position = position;
    this.#told = Math.max(position.sequence, told);
  }

  #restart(before: Position | undefined, ended?: Position): void {
    this.#latest = undefined;
    this.#tellLoss(before, this.position, ended);
    this.tellContinuity("replaced", "epoch-changed");
  }

  #tellLoss(before: Position | undefined, now: Position | undefined, ended?: Position): void {
    const loss = before && lossBetween(before, now, ended);
    if (loss !== undefined) this.#tellGap(loss);
  }

  #tellGap(loss: Omit<GapEvent, "type" | "topic" | "venue" | "symbol">): void {
    const { topic, venue, symbol } = this.names;
    this.#notice({ type: "gap", topic, venue, symbol, ...loss });
  }

  #continuityNotice(continuity: ContinuityEvent["continuity"], reason: string): ContinuityEvent {
    const { topic, venue, symbol } = this.names;
    const at = this.position ?? { epoch: 0, sequence: 0 };
    return { type: "continuity", topic, venue, symbol, continuity, ...at, reason };
  }

  #notice(notice: NoticeEvent): void {
    for (const consumer of this.consumers) consumer.notice(notice);
  }
}
