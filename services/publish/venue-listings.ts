import type { CancelTimer, Clock } from "#core/clock.ts";
import { marketOf } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Listing } from "#core/market-event.ts";
import type { StreamedChange } from "./streamed-instruments.ts";

type VenueListingsOptions = {
  readonly venue: string;
  readonly clock: Clock;
  readonly emit: (listing: Listing) => void;
};

/** Numbering and encoding so many takes about a millisecond. */
export const LISTINGS_PER_TURN_MAX = 250;

/**
 * The list of a venue as a topic: what comes into it, changes in it and goes from it is published
 * in that order, and whoever joins gets what it holds by then. A whole list comes at once, so it is
 * published over several turns of the event loop.
 */
export class VenueListings {
  readonly market: Instrument;
  readonly #options: VenueListingsOptions;
  /** What has been published and is in the list, by symbol. */
  readonly #listed = new Map<string, Listing>();
  #waiting: Listing[] = [];
  #cancelTurn: CancelTimer | undefined;
  #isTelling = false;

  constructor(options: VenueListingsOptions) {
    this.#options = options;
    this.market = marketOf(options.venue);
  }

  /** To be published now, or when what came before it is. */
  tell({ instrument, change, reason }: StreamedChange): void {
    const { symbol, venueSymbol, kind, base, quote, state, stateWord } = instrument;
    this.#waiting.push({
      kind: "listing",
      instrument: this.market,
      venueTimeUs: undefined,
      receivedTimeUs: this.#options.clock.nowUs(),
      change,
      symbol,
      venueSymbol,
      instrumentKind: kind,
      baseAsset: base,
      quoteAsset: quote,
      instrumentState: state,
      stateWord,
      reason,
    });
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#cancelTurn = this.#options.clock.after(0, () => this.#publish());
  }

  /** What the list holds after the last event that was published. */
  state(): readonly Listing[] {
    return [...this.#listed.values()];
  }

  /** Publishes nothing more. Idempotent. */
  close(): void {
    this.#cancelTurn?.();
    this.#waiting = [];
  }

  #publish(): void {
    const { clock, emit } = this.#options;
    for (const listing of this.#waiting.splice(0, LISTINGS_PER_TURN_MAX)) {
      if (listing.change === "removed") this.#listed.delete(listing.symbol);
      else this.#listed.set(listing.symbol, { ...listing, change: "added" });
      emit(listing);
    }
    this.#isTelling = this.#waiting.length > 0;
    if (this.#isTelling) this.#cancelTurn = clock.after(0, () => this.#publish());
  }
}
