import type { FeedAdapter, FeedEvent } from "#ingest/feed/feed-adapter.ts";

/** True unless the event lacks what none may lack, whatever made it. */
export function isSound(event: FeedEvent, adapter: FeedAdapter, receivedTimeUs: number): boolean {
  if (!("instrument" in event) || event.instrument === undefined || event.kind === "rejected") {
    return true;
  }
  if (event.instrument.venue !== adapter.venue) return false;
  if (event.kind === "instrument-state") return true;
  if (event.receivedTimeUs !== receivedTimeUs) return false;
  // NaN is a time that could not be read, which the normalizer takes away and counts.
  const { venueTimeUs } = event;
  if (!(venueTimeUs === undefined || Number.isNaN(venueTimeUs) || isTimeUs(venueTimeUs))) {
    return false;
  }
  for (const [name, value] of Object.entries(event)) {
    if (/(Mantissa|Scale)$/.test(name) && !isInteger(value)) return false;
  }
  if (event.kind !== "raw-book") return true;
  return [event.bids, event.asks].every(
    ({ prices, sizes }) =>
      prices.length === sizes.length && [...prices, ...sizes].every((value) => isInteger(value)),
  );
}

/** Whole microseconds between 1973 and 5138, whatever unit the venue uses. */
function isTimeUs(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1e14 && value < 1e17;
}

function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}
