import type { TopicInfo } from "../topics/topic.ts";
import { EventBase, type EventBatch } from "./event-base.ts";

/** An event of a kind that travels as rows. */
export abstract class RowEvent<Row> extends EventBase {
  /** For programs that hand events on: the fields as they travel, decimals as exact text. */
  readonly row: Row;

  constructor(info: TopicInfo, batch: EventBatch, index: number, row: Row) {
    super(info, batch, index);
    this.row = row;
  }

  protected payload(): Record<string, unknown> {
    const {
      venueTimeUs: _venue,
      receivedTimeUs: _received,
      ...fields
    } = this.row as Record<string, unknown>;
    return fields;
  }
}
