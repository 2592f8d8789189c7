import type { StatusRow, TopicState } from "@tickwire/proto/codec";
import type { Channel, TopicInfo } from "../topics/topic.ts";
import { EventBase, type EventBatch } from "./event-base.ts";

/** The state of one channel of one instrument changed. */
export class Status extends EventBase {
  /** Tells the kinds of events apart. */
  readonly type = "status";
  readonly #row: StatusRow;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: StatusRow) {
    super(info, batch, index);
    this.#row = row;
  }

  /** The channel whose state this is. */
  get channel(): Channel {
    return this.#row.channel as Channel;
  }

  /** What the channel is worth now. */
  get state(): TopicState {
    return this.#row.state;
  }

  /** A stable kebab-case word, such as `sequence-gap`. */
  get reason(): string {
    return this.#row.reason;
  }

  /** Since when, microseconds since 1970. */
  get sinceTimeUs(): number {
    return this.#row.sinceTimeUs;
  }

  protected payload(): Record<string, unknown> {
    const { channel, state, reason, sinceTimeUs } = this;
    return { channel, state, reason, sinceTimeUs };
  }
}
