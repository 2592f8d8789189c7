import * as BatchField from "../../gen/batch-field.ts";
import { ByteReader } from "../byte-reader.ts";

/** Of the topic id of a Batch. */
export const TOPIC_ID_TAG = BatchField.TopicId << 3;

/** The topic id of an element's content; 0 if it has none. Throws WireError. */
export function topicIdOf(bytes: Uint8Array, start: number, end: number): number {
  const reader = new ByteReader(bytes, start, end);
  let topicId = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag !== TOPIC_ID_TAG) {
      reader.skip(tag);
      continue;
    }
    const { position: start } = reader;
    topicId = reader.varint();
    if (!(topicId <= 0xffff_ffff)) topicId = Number(BigInt.asUintN(32, reader.wide(start)));
  }
  return topicId;
}
