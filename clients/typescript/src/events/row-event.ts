import type { TopicInfo } from "../topics/topic.ts";
import { EventBase, type EventBatch } from "./event-base.ts";

/** An event of a kind that is read as rows. */
export abstract class RowEvent<Type extends string, Row> extends EventBase<Type> {
  readonly #row: Row;

  constructor(type: Type, info: TopicInfo, batch: EventBatch, index: number, row: Row) {
    super(type, info, batch, index);
    this.#row = row;
  }

  /**
   * For programs that hand events on: the fields as they were read, decimals as exact text only.
   * Not part of a copy.
   */
  get row(): Row {
    return this.#row;
  }
}
