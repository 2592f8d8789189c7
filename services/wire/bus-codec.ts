import {
  checkBusEvents,
  checkWholeEvents,
  readBusBatch,
  readBusEvents,
  WireError,
} from "@tickwire/proto/codec";
import type { BusBatch, DecodedBatch } from "@tickwire/proto/codec";
import {
  AnnouncementCodec,
  CatalogReplyCodec,
  CatalogRequestCodec,
  HistoryReplyCodec,
  HistoryRequestCodec,
  LeadershipCodec,
  PositionsReplyCodec,
  PositionsRequestCodec,
  QueryReplyCodec,
  SnapshotReplyCodec,
  SnapshotRequestCodec,
} from "@tickwire/proto/messages";
import type {
  Announcement,
  CatalogReply,
  CatalogRequest,
  Code,
  HistoryRequest,
  Leadership,
  MessageInit,
  PositionsReply,
  PositionsRequest,
  QueryReply,
  SnapshotRequest,
} from "@tickwire/proto/messages";

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodeAnnouncement(announcement: MessageInit<Announcement>): Uint8Array {
  return AnnouncementCodec.encode(announcement);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeAnnouncement(bytes: Uint8Array): Announcement {
  return AnnouncementCodec.decode(bytes);
}

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodeLeadership(leadership: MessageInit<Leadership>): Uint8Array {
  return LeadershipCodec.encode(leadership);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeLeadership(bytes: Uint8Array): Leadership {
  return LeadershipCodec.decode(bytes);
}

/** The payload of a query for where topics stand. The caller owns the result. */
export function encodePositionsRequest(request: MessageInit<PositionsRequest>): Uint8Array {
  return PositionsRequestCodec.encode(request);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodePositionsRequest(bytes: Uint8Array): PositionsRequest {
  return PositionsRequestCodec.decode(bytes);
}

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodePositionsReply(reply: MessageInit<PositionsReply>): Uint8Array {
  return PositionsReplyCodec.encode(reply);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodePositionsReply(bytes: Uint8Array): PositionsReply {
  return PositionsReplyCodec.decode(bytes);
}

/**
 * The payload of a query for the page of a catalog behind a symbol: of all of it, or of what
 * changed since a version. The caller owns the result.
 */
export function encodeCatalogRequest(request: MessageInit<CatalogRequest>): Uint8Array {
  return CatalogRequestCodec.encode(request);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeCatalogRequest(bytes: Uint8Array): CatalogRequest {
  return CatalogRequestCodec.decode(bytes);
}

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodeCatalogReply(reply: MessageInit<CatalogReply>): Uint8Array {
  return CatalogReplyCodec.encode(reply);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeCatalogReply(bytes: Uint8Array): CatalogReply {
  return CatalogReplyCodec.decode(bytes);
}

/** The answer to a query that succeeded; `payload` is copied. The caller owns the result. */
export function encodeQueryReply(payload: Uint8Array): Uint8Array {
  return QueryReplyCodec.encode({ payload });
}

/** The answer to a query that failed. `message` reaches clients. */
export function encodeQueryError(error: {
  readonly code: Code;
  readonly message: string;
}): Uint8Array {
  return QueryReplyCodec.encode({ error });
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeQueryReply(bytes: Uint8Array): QueryReply {
  return QueryReplyCodec.decode(bytes);
}

/**
 * A batch of which everything can be read, so that no client is handed what it cannot. The result
 * keeps `bytes`. Throws WireError.
 */
export function decodeBusBatch(bytes: Uint8Array): BusBatch {
  const batch = readBusBatch(bytes);
  if (batch.count > 0) checkWholeEvents(batch);
  return batch;
}

/** A state, or a page of it. */
type SnapshotPage = {
  readonly batches: readonly [BusBatch, ...BusBatch[]];
  /** Another page follows. */
  readonly more: boolean;
  /** The position of an earlier epoch that the topic goes on from. */
  readonly continues: StatePosition | undefined;
};

/** A place in a topic's sequence of events. */
type StatePosition = { readonly epoch: number; readonly sequence: number };

/** The payload of a snapshot query. The caller owns the result. */
export function encodeSnapshotRequest(request: MessageInit<SnapshotRequest>): Uint8Array {
  return SnapshotRequestCodec.encode(request);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeSnapshotRequest(bytes: Uint8Array): SnapshotRequest {
  return SnapshotRequestCodec.decode(bytes);
}

/** The answer to a snapshot query; `more` if a page follows. The caller owns the result. */
export function encodeSnapshotReply(
  state: readonly BusBatch[],
  { more = false, continues }: Partial<Omit<SnapshotPage, "batches">> = {},
): Uint8Array {
  const batches = state.map(({ bytes, start, end }) => bytes.subarray(start, end));
  return SnapshotReplyCodec.encode({ batches, more, continues });
}

/**
 * The batches of a snapshot or of a page of it, all of which can be read whole: at least one, all
 * of one channel and position, and a state if they have events. Keeps nothing of `bytes`. Throws
 * WireError.
 */
export function decodeSnapshotReply(bytes: Uint8Array): SnapshotPage {
  const steps = decodeSnapshotSteps(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in steps, of which each takes a fraction of a millisecond, or copies the bytes. */
export function* decodeSnapshotSteps(bytes: Uint8Array): Generator<undefined, SnapshotPage> {
  const batches: BusBatch[] = [];
  const { batches: contents, more, continues } = SnapshotReplyCodec.decode(bytes);
  for (const content of contents) {
    yield;
    const batch = readBusBatch(content);
    if (batch.count > 0) yield* checkBusEvents(batch);
    batches.push(batch);
  }
  return { batches: wholeState(batches), more, continues };
}

/** The events of a whole snapshot, and where it stands. Keeps nothing of it. Throws WireError. */
export function decodeSnapshotEvents(bytes: Uint8Array): {
  readonly sequence: number;
  readonly events: readonly DecodedBatch[];
} {
  const { batches: contents, more } = SnapshotReplyCodec.decode(bytes);
  if (more) throw new WireError("malformed", "a page of a snapshot is not all of it");
  const batches = wholeState(contents.map((content) => readBusBatch(content)));
  return {
    sequence: batches[0].baseSequence,
    events: batches.map((batch) => readBusEvents(batch)),
  };
}

/** Throws WireError unless the batches are one state. */
function wholeState(batches: readonly BusBatch[]): [BusBatch, ...BusBatch[]] {
  const [first, ...rest] = batches;
  if (first === undefined) throw new WireError("malformed", "a snapshot has no batch");
  const isWhole = rest.every(
    ({ channel, epoch, baseSequence }) =>
      channel === first.channel && epoch === first.epoch && baseSequence === first.baseSequence,
  );
  if (!isWhole) throw new WireError("malformed", "the batches of a snapshot contradict each other");
  const isState = batches.every(({ snapshot, count, skipped }) => {
    return skipped === 0 && (snapshot ? count > 0 : count === 0 && rest.length === 0);
  });
  if (!isState) throw new WireError("malformed", "a batch of a snapshot is none of a state");
  return [first, ...rest];
}

/** The payload of a query for what follows a position of a topic. */
export function encodeHistoryRequest(request: HistoryRequest): Uint8Array {
  return HistoryRequestCodec.encode(request);
}

/** The position whose followers are asked for. Throws WireError. */
export function decodeHistoryRequest(bytes: Uint8Array): HistoryRequest {
  return HistoryRequestCodec.decode(bytes);
}

/** The answer to a history query; `batches` are encoded, and copied. The caller owns the result. */
export function encodeHistoryReply(batches: readonly Uint8Array[], sequence: number): Uint8Array {
  return HistoryReplyCodec.encode({ batches: [...batches], sequence });
}

/**
 * Batches of a history, all of which can be read whole, and where the topic stands. Keeps nothing
 * of `bytes`. Throws WireError.
 */
export function decodeHistoryReply(bytes: Uint8Array): {
  readonly batches: readonly BusBatch[];
  readonly sequence: number;
} {
  const { batches, sequence } = HistoryReplyCodec.decode(bytes);
  return { batches: batches.map((batch) => decodeBusBatch(batch)), sequence };
}
