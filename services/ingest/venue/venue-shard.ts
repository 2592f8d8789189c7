import type { Channel, Instrument } from "#core/instrument.ts";
import { parseShard, shardOf } from "#core/shard.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import type { StreamedChange } from "#publish/streamed-instruments.ts";

type VenueShardOptions = {
  /** `INDEX/COUNT`; the whole venue if absent. */
  readonly shard: string | undefined;
  /** Takes the changes of the venue's list, of whichever shard an instrument is. */
  readonly onListing: (change: StreamedChange) => void;
};

/**
 * Which of a venue's instruments are this ingestor's. The list of the venue is one topic, so one
 * shard, the first, tells all of it: what the others stream it knows from the same lists of the
 * venue.
 */
export class VenueShard {
  readonly #shard: ReturnType<typeof parseShard>;
  readonly #onListing: VenueShardOptions["onListing"];
  /** What the other shards stream. */
  readonly #others: StreamedInstruments;
  readonly #known = new Set<Instrument>();

  constructor({ shard, onListing }: VenueShardOptions) {
    this.#shard = shard === undefined ? undefined : parseShard(shard);
    this.#onListing = onListing;
    this.#others = new StreamedInstruments({ onListing: (change) => this.tell(change) });
  }

  /** Whether the instrument is ours. */
  has({ symbol }: Instrument): boolean {
    const shard = this.#shard;
    return shard === undefined || shardOf(symbol, shard.count) === shard.index;
  }

  /** Whether it is known to be another shard's. */
  knows(instrument: Instrument): boolean {
    return this.#known.has(instrument);
  }

  /** What came of an instrument of ours in the list. */
  tell(change: StreamedChange): void {
    if (this.#shard === undefined || this.#shard.index === 1) this.#onListing(change);
  }

  /** These are streamed by others. */
  add(topics: readonly { readonly instrument: Instrument; readonly channel: Channel }[]): void {
    for (const { instrument } of topics) this.#known.add(instrument);
    this.#others.add(topics);
  }

  update(instruments: readonly Instrument[], reason: string): void {
    this.#others.update(instruments, reason);
  }

  remove(instruments: readonly Instrument[], reason: string): void {
    this.#others.remove(instruments, reason);
    for (const instrument of instruments) this.#known.delete(instrument);
  }
}
