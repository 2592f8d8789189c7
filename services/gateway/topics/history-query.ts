import { WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import type { Topic } from "#core/topic.ts";
import { decodeHistoryReply, decodeQueryReply, encodeHistoryRequest } from "#wire/bus-codec.ts";
import { channelNumberOf } from "#wire/codes.ts";
import { oneStep } from "../turns/turns.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { SnapshotQueryParts } from "./snapshot-query.ts";

/** What is asked for. */
type HistoryRange = {
  /** Everything behind it. */
  readonly from: TopicPosition;
  /** Takes the next batches. False if it wants no more of them. Not called with none. */
  readonly take: (batches: readonly BusBatch[]) => boolean;
};

/** Pages of one answer; what is behind them is as good as lost. */
const PAGES_MAX = 64;

/**
 * Asks a publisher for what follows a position of a topic, page by page: batches that follow each
 * other without a hole, from the position on, up to where the publisher stands. It ends early where
 * something is not kept, or cannot be had now. Rejects only if we have a bug.
 *
 * @returns False if the bus brought no answer, so that asking again may help.
 */
export async function queryHistory(
  parts: SnapshotQueryParts,
  name: Topic,
  publisherId: string,
  { from, take }: HistoryRange,
): Promise<boolean> {
  const { bus, gate, limits, line } = parts;
  const subject = querySubject({ ...name, publisherId, query: "history" });
  const { epoch } = from;
  let afterSequence = from.sequence;
  try {
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const request = encodeHistoryRequest({ epoch, afterSequence });
      const answered = await gate.run(() =>
        bus.request(subject, request, { timeoutMs: limits.queryTimeoutMs }),
      );
      const reply = decodeQueryReply(answered);
      if (reply.error !== undefined) return true;
      // Many clients who come back want many pages, of which each takes milliseconds to check.
      const read = oneStep(() => decodeHistoryReply(reply.payload));
      const { batches, sequence } = await line.run(read);
      checkPage(batches, name, { epoch, sequence: afterSequence });
      const last = batches.at(-1);
      if (last === undefined || !take(batches)) return true;
      afterSequence = last.baseSequence + last.count;
      if (afterSequence >= sequence) return true;
    }
    return true;
  } catch (error) {
    if (error instanceof BusError || error instanceof WireError) return error instanceof WireError;
    throw error;
  }
}

/** Throws WireError if the batches do not go on from the position. */
function checkPage(batches: readonly BusBatch[], { channel }: Topic, from: TopicPosition): void {
  const channelNumber = channelNumberOf(channel);
  let { sequence } = from;
  for (const batch of batches) {
    const isOfTopic = batch.channel === channelNumber && batch.epoch === from.epoch;
    const isNews = !batch.snapshot && batch.skipped === 0 && batch.count > 0;
    if (!isOfTopic || !isNews || batch.baseSequence !== sequence) {
      throw new WireError("malformed", "a history does not go on from where it was asked for");
    }
    sequence += batch.count;
  }
}
