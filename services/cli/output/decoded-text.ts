import type {
  DecodedBusBatch,
  DecodedEvents,
  DecodedMessage,
  DecodedTopicBatch,
  DecodedWord,
} from "./decoded-message.ts";

const NAMES = {
  announcement: "Announcement",
  catalog: "CatalogReply",
  reply: "QueryReply",
} as const;

/** A decoded message in words, one line for each thing that it says. */
export function describeMessage(decoded: DecodedMessage): string[] {
  const size = sizeOf(decoded);
  switch (decoded.form) {
    case "server-frame":
      return [
        `ServerFrame, ${size}`,
        ...decoded.messages.flatMap(describeWord),
        ...decoded.batches.flatMap(describeTopicBatch),
      ];
    case "client-frame":
      return [`ClientFrame, ${size}`, ...decoded.messages.flatMap(describeWord)];
    case "batch":
      return describeBusBatch(decoded);
    case "snapshot": {
      const more = decoded.more ? ", another page follows" : "";
      return [`SnapshotReply, ${size}${more}`, ...decoded.batches.flatMap(describeBusBatch)];
    }
    case "announcement":
    case "catalog":
    case "reply":
      return [`${NAMES[decoded.form]}, ${size}`, `  ${JSON.stringify(decoded.message)}`];
  }
}

function describeWord({ kind, message }: DecodedWord): string[] {
  return [kind, `  ${JSON.stringify(message)}`];
}

function describeTopicBatch(batch: DecodedTopicBatch): string[] {
  const { topicId, base, columns, events, lost, unknownUpTo } = batch;
  const form = base === undefined ? "goes on from the batch before" : "has its base";
  return [
    `batch of topic ${topicId}, ${sizeOf(batch)}, ${form}`,
    ...(base === undefined ? [] : [`  base ${JSON.stringify(base)}`]),
    `  columns ${JSON.stringify(columns)}`,
    ...(events === undefined ? [] : describeEvents(events)),
    ...(lost === undefined
      ? []
      : [`  its events cannot be told without the batches before it (${lost})`]),
    ...(unknownUpTo === undefined
      ? []
      : [`  a channel that is not known here, up to sequence ${unknownUpTo}`]),
  ];
}

function describeBusBatch(batch: DecodedBusBatch): string[] {
  const chain = batch.rebase ? "every subscriber gets its base" : "goes on from the batch before";
  return [
    `BusBatch, ${sizeOf(batch)}, ${chain}`,
    `  base ${JSON.stringify(batch.base)}`,
    `  columns ${JSON.stringify(batch.columns)}`,
    ...describeEvents(batch.events),
  ];
}

function describeEvents(events: DecodedEvents): string[] {
  const { kind, epoch, snapshot, firstSequence, count, skipped, publishedTimeUs, rows } = events;
  const place = snapshot
    ? `the state at ${firstSequence}`
    : `from ${firstSequence - 1 - skipped}${skipped === 0 ? "" : `, ${skipped} conflated away`}`;
  return [
    `  ${kind}: ${count} of epoch ${epoch}, ${place}, published ${publishedTimeUs} us`,
    ...rows.map((row, index) => {
      return `  ${snapshot ? firstSequence : firstSequence + index} ${JSON.stringify(row)}`;
    }),
  ];
}

function sizeOf({ bytes }: { readonly bytes: number }): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}
