import type { StatusRow, TopicState } from "@tickwire/proto/codec";
import type { Channel, TopicInfo } from "../topics/topic.ts";
import { EventBase, type EventBatch } from "./event-base.ts";

/** The state of one channel of one instrument changed. */
export class Status extends EventBase<"status"> {
  /** The channel whose state this is. */
  readonly channel: Channel;
  /** What the channel is worth now. */
  readonly state: TopicState;
  /** A stable kebab-case word, such as `sequence-gap`. */
  readonly reason: string;
  /** Since when, microseconds since 1970. */
  readonly sinceTimeUs: number;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: StatusRow) {
    super("status", info, batch, index);
    this.channel = row.channel as Channel;
    this.state = row.state;
    this.reason = row.reason;
    this.sinceTimeUs = row.sinceTimeUs;
  }
}
