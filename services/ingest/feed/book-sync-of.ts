import type { BookSync } from "#core/book-sync.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "./feed-adapter.ts";

/** How one book of a venue is started and proven, where the books of a venue may differ. */
export function bookSyncOf(
  adapter: FeedAdapter,
  instrument: Instrument,
  options: { readonly bookDepth: number },
): BookSync {
  return adapter.bookSyncOf?.(instrument, options) ?? adapter.bookSync;
}
