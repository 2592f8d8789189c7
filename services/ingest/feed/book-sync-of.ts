import type { BookSync } from "#core/book-sync.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "./feed-adapter.ts";

/** How one book is started and proven: most venues have one way for all, some differ by book. */
export function bookSyncOf(
  adapter: FeedAdapter,
  instrument: Instrument,
  options: { readonly bookDepth: number },
): BookSync {
  return adapter.bookSyncOf?.(instrument, options) ?? adapter.bookSync;
}
