import { BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import type { RowsOfChannel } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";

const BATCH_KIND_OF_CHANNEL = Object.fromEntries(
  EVENT_KINDS.map(({ channel, rows }) => [channel, rows]),
) as RowsOfChannel;

/** The kind of rows that batches of a channel have. */
export function batchKindOf(channel: Channel): BatchRows["kind"] {
  return BATCH_KIND_OF_CHANNEL[channel];
}

/**
 * Events of one channel as rows, which are the events themselves. Throws RangeError if there are no
 * events or they are of several channels, which is a bug of the caller.
 */
export function rowsOfEvents(events: readonly MarketEvent[]): BatchRows {
  const kind = events[0]?.kind;
  if (kind === undefined) throw new RangeError("a batch of no events has no channel");
  for (let index = 1; index < events.length; index += 1) {
    const other = events[index]?.kind;
    if (other !== kind) throw new RangeError(`a batch of ${kind} events has a ${other} event`);
  }
  // An event has all that a row of its kind has, under the same names.
  return { kind: BATCH_KIND_OF_CHANNEL[CHANNEL_OF_KIND[kind]], rows: events } as BatchRows;
}

/** Where a topic stands. */
type StatePosition = {
  readonly channel: Channel;
  readonly epoch: number;
  readonly sequence: number;
};

/**
 * The state of a topic, all of it at one sequence: mostly one batch, and one without events if
 * there are none, which only says where the topic stands. Throws WireError if an event does not
 * fit.
 */
export function encodeState(
  { channel, epoch, sequence }: StatePosition,
  events: readonly MarketEvent[],
  publishedTimeUs: number,
): BusBatch[] {
  const chain = { kind: BATCH_KIND_OF_CHANNEL[channel], epoch, sequence };
  const init = { publishedTimeUs };
  return events.length === 0
    ? [new BatchWriter(chain).writePosition(init)]
    : BatchWriter.snapshot(chain, rowsOfEvents(events), init);
}
