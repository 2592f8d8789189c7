import { lastSequenceOf, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { TradeRow } from "@tickwire/proto/model";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Topic } from "#core/topic.ts";
import type { EventLog } from "#gateway/history/event-log.ts";
import { TopicReplay } from "#gateway/history/topic-replay.ts";
import type { ReplayBreak } from "#gateway/history/topic-replay.ts";
import type { TurnLine } from "#gateway/turns/turns.ts";

type LoggedTradesParts = {
  readonly log: EventLog;
  readonly line: TurnLine;
};

type TradesTopic = { readonly venue: string; readonly symbol: string };

/** What is wanted of an instrument's trades. */
type TradesWanted = {
  /** Trades that the venue says happened before it need not be known. */
  readonly fromUs: number;
  /** The last one that is wanted. */
  readonly until: { readonly epoch: number; readonly sequence: number };
  /** Takes the next of them, oldest first; false if no more are wanted. */
  readonly take: (rows: readonly TradeRow[]) => boolean;
};

/** What is read of one instrument at most: beyond it the past counts as not known. */
const LOGGED_BYTES_MAX = 64 * 1_048_576;
/** The clock of the venue may be so much behind that of the publisher. */
const LATE_US = 10_000_000;

/** Trades of the past by the stream log. */
export class LoggedTrades {
  readonly #parts: LoggedTradesParts;
  readonly #bytesMax: number;

  constructor(parts: LoggedTradesParts, bytesMax = LOGGED_BYTES_MAX) {
    this.#parts = parts;
    this.#bytesMax = bytesMax;
  }

  /**
   * Gives what the log has up to a place. Returns from when on that is all there was, by the time
   * of the venue; undefined if the log does not come up to that place, or does not answer. Rejects
   * only if we have a bug.
   */
  async read(topic: TradesTopic, wanted: TradesWanted): Promise<number | undefined> {
    try {
      return await this.#read({ ...topic, channel: "trades" }, wanted);
    } catch (error) {
      if (error instanceof StreamLogError) return undefined;
      throw error;
    }
  }

  async #read(name: Topic, { fromUs, until, take }: TradesWanted): Promise<number | undefined> {
    const { log } = this.#parts;
    const range = { fromTimeUs: Math.max(1, fromUs - LATE_US), toTimeUs: 0 };
    const replay = await TopicReplay.ofTime({ ...this.#parts, name }, range);
    const oldest = await log.first(name, 0);
    const reachesBack = oldest !== undefined && oldest.batch.publishedTimeUs <= range.fromTimeUs;
    let sinceUs = reachesBack ? fromUs : undefined;
    let bytes = 0;
    while ((await replay.nextTimeUs()) !== undefined) {
      const { batch, break: broken } = replay.take();
      const isHole = bytes > 0 && broken !== undefined && isLossy(broken);
      bytes += batch.bytes.byteLength;
      if (bytes > this.#bytesMax) return undefined;
      const isEnd = batch.epoch === until.epoch && lastSequenceOf(batch) >= until.sequence;
      // What is missing before it may be the last one that is wanted.
      if (isEnd && isHole && batch.baseSequence >= until.sequence) return undefined;
      const rows = rowsUntil(batch, until);
      const [first] = rows;
      if (first !== undefined && (isHole || sinceUs === undefined)) {
        // Before the first there may have been another one at the same time.
        sinceUs = timeOf(first) + 1;
      }
      if (rows.length > 0 && !take(rows)) return undefined;
      if (isEnd) return sinceUs;
    }
    // Nothing has been traded since then.
    const newest = bytes > 0 ? undefined : (await log.last(name))?.batch;
    const isThere =
      newest?.epoch === until.epoch && lastSequenceOf(newest) === until.sequence && reachesBack;
    return isThere ? fromUs : undefined;
  }
}

/** Whether trades may be missing before a batch that does not go on from the one before it. */
function isLossy({ missing, sequence }: ReplayBreak): boolean {
  // A publisher that began anew does not know what was before it.
  return missing !== undefined || sequence === 0;
}

function rowsUntil(batch: BusBatch, until: TradesWanted["until"]): readonly TradeRow[] {
  const decoded = rowsOf(readBusEvents(batch));
  if (decoded.kind !== "trades") return [];
  if (batch.epoch !== until.epoch) return decoded.rows;
  return decoded.rows.slice(0, Math.max(0, until.sequence - batch.baseSequence));
}

function timeOf({ venueTimeUs, receivedTimeUs }: TradeRow): number {
  return venueTimeUs ?? receivedTimeUs;
}
