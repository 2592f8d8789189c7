import type { RawBook } from "../feed/feed-adapter.ts";
import type { EventSubject } from "./emit.ts";
import type { BookColumns, ScaleTracker } from "./scale-tracker.ts";

/** What a book message says beside its levels. */
export type BookForm = {
  readonly snapshot: boolean;
  /** In-band unless said. */
  readonly source?: RawBook["source"];
  readonly firstUpdateId?: number | undefined;
  readonly lastUpdateId?: number | undefined;
  readonly previousUpdateId?: number | undefined;
  readonly checksum?: number | undefined;
  readonly depth?: number | undefined;
};

/**
 * The event of a book message whose levels were just read with `scales`. All venues' book events
 * have the same fields in the same order, which keeps the code behind them fast.
 */
export function bookEvent(
  subject: EventSubject,
  scales: ScaleTracker,
  columns: BookColumns,
  form: BookForm,
): RawBook {
  return {
    kind: "raw-book",
    instrument: subject.instrument,
    venueTimeUs: subject.venueTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    snapshot: form.snapshot,
    source: form.source ?? "in-band",
    firstUpdateId: form.firstUpdateId,
    lastUpdateId: form.lastUpdateId,
    previousUpdateId: form.previousUpdateId,
    checksum: form.checksum,
    depth: form.depth,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  };
}
