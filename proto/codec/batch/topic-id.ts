import * as BatchField from "../../gen/batch-field.ts";
import { ByteReader, takeUint32 } from "../byte-reader.ts";

/** Of the topic id of a Batch. */
export const TOPIC_ID_TAG = BatchField.TopicId << 3;

const NO_BYTES = /* @__PURE__ */ new Uint8Array(0);
// Reading is synchronous and never re-entered.
const reader = /* @__PURE__ */ new ByteReader(NO_BYTES, 0, 0);

/** The topic id of an element's content; 0 if it has none. Throws WireError. */
export function topicIdOf(bytes: Uint8Array, start: number, end: number): number {
  reader.reset(bytes, start, end);
  let topicId = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag !== TOPIC_ID_TAG) {
      reader.skip(tag);
      continue;
    }
    topicId = takeUint32(bytes, reader.position);
    reader.skip(tag);
  }
  return topicId;
}
