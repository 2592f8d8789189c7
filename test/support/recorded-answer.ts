import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { purposeOfRecorded } from "#ingest/capture/recorded-purpose.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "#ingest/feed/feed-adapter.ts";

/** A REST answer of which only the address says what it was asked for. */
type RecordedAnswer = {
  readonly url: string;
  readonly body: string;
};

/** What a decoder, and what reads its answers, need to know of each other. */
export type RecordedConnection = {
  readonly adapter: FeedAdapter;
  readonly catalog: InstrumentCatalog;
  readonly decoder: FeedDecoder;
};

/**
 * Hands a recorded answer to a decoder as the ingestor would have: with what it was asked for,
 * which the adapter finds in the address.
 */
export function decodeRecorded(
  { adapter, catalog, decoder }: RecordedConnection,
  answer: RecordedAnswer,
  receivedTimeUs: number,
  emit: (event: FeedEvent) => void,
): void {
  const request = adapter.recordedRequest(answer.url);
  if (request === undefined || request.kind === "instruments") {
    emit({ kind: "rejected", reason: "unknown-message" });
    return;
  }
  const purpose = purposeOfRecorded(request, catalog);
  if (purpose === undefined) emit({ kind: "rejected", reason: "unknown-instrument" });
  else decoder.decodeRest({ purpose, body: answer.body }, receivedTimeUs, emit);
}
