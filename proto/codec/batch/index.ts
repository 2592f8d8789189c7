export { BatchReader } from "./batch-reader.ts";
export type { BatchReading, LossReason, ReadBatch } from "./batch-reader.ts";
export { BatchWriter } from "./batch-writer.ts";
export type { BatchInit, ChainInit } from "./batch-writer.ts";
export { elementLength, lastSequenceOf, putElement, readBusBatch, topicIdOf } from "./bus-batch.ts";
export { readBusEvents } from "./bus-batch-events.ts";
export type { BusBatch } from "./bus-batch.ts";
