// https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
// https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
import type { RawBook, RejectReason } from "../../feed/feed-adapter.ts";
import type { InstrumentState } from "./decoder.ts";
import { isUpdateId, optionalTimeUs, type Payload, venueSymbolOfStream } from "./fields.ts";

/** `btcusdt@depth20`, `btcusdt@depth5@100ms`; not `btcusdt@depth@100ms`. */
const PARTIAL_STREAM = /^[^@/]+@depth\d+(@|$)/;

/**
 * The symbol of a message that holds the best levels of a book, which we never ask for, but
 * recordings of others have. Only the name of the stream tells: at the futures venues the message
 * looks like a change of the book, and at the spot venue it does not name its symbol.
 */
export function partialBookSymbol(
  message: { readonly stream?: unknown },
  url: string | undefined,
): string | undefined {
  const { stream: named } = message;
  const stream = named ?? (url === undefined ? undefined : /\/ws\/([^/?#]+)$/.exec(url)?.[1]);
  return typeof stream === "string" && PARTIAL_STREAM.test(stream)
    ? venueSymbolOfStream(stream)
    : undefined;
}

/** The best levels, which are the whole of this book. */
export function readPartialBook(
  payload: Payload,
  about: {
    readonly state: InstrumentState;
    readonly receivedTimeUs: number;
    readonly timeField: "E" | "T";
  },
): RawBook | RejectReason {
  const { instrument, scales } = about.state;
  const bids = payload.bids ?? payload.b;
  const asks = payload.asks ?? payload.a;
  const lastUpdateId = payload.lastUpdateId ?? payload.u;
  if (!isUpdateId(lastUpdateId) || !Array.isArray(bids) || !Array.isArray(asks)) {
    return "missing-field";
  }
  const venueTimeUs = optionalTimeUs(payload[about.timeField] ?? payload.E);
  if (Number.isNaN(venueTimeUs)) return "bad-time";
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  return {
    kind: "raw-book",
    instrument,
    venueTimeUs,
    receivedTimeUs: about.receivedTimeUs,
    snapshot: true,
    source: "in-band",
    firstUpdateId: undefined,
    lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  };
}
