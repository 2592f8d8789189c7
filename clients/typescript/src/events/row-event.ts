import type { DecodedBatch } from "@tickwire/proto/codec";
import type { EventKind } from "@tickwire/proto/model";
import type { TopicInfo } from "../topics/topic.ts";
import { fieldsOf } from "./event-fields.ts";
import { headOf } from "./event-head.ts";
import type { MarketEvent } from "./market-event.ts";

/** A batch of a channel that is read as rows. */
export type RowsBatch = Extract<DecodedBatch, { readonly rows: unknown }>;

/** Event `index` of a batch of rows of that kind. */
export function rowEvent(
  kind: EventKind,
  info: TopicInfo,
  batch: RowsBatch,
  index: number,
): MarketEvent {
  return {
    ...headOf(kind.type, info, batch, index),
    ...fieldsOf(kind, batch.rows[index]!),
  } as MarketEvent;
}
