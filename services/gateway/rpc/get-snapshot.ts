import { rowsOf } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import {
  GetSnapshotRequestCodec,
  GetTradesRequestCodec,
  GetTradesResponseCodec,
} from "@tickwire/proto/service";
import type {
  Book,
  BookLevel,
  GetSnapshotRequest,
  GetSnapshotResponse,
  Instrument,
  Quote,
  Ticker,
  Trade,
} from "@tickwire/proto/service";
import type { Channel } from "#core/instrument.ts";
import { decodeSnapshotEvents } from "#wire/bus-codec.ts";
import type { Looks } from "../access/looks.ts";
import type { Principal } from "../access/principal.ts";
import type { Terms } from "../access/rights.ts";
import { channelsOf } from "../catalog/channel-names.ts";
import { permittedInstrument } from "../catalog/permitted-names.ts";
import type { Work } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { Asker, MethodParts } from "./ingestor-query.ts";
import { liveTerms, permissionDenied } from "./permissions.ts";
import { requireInstrument } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

/** Besides the request itself. */
const PRICE_OF_BOOK = 1;
/** Of the levels of an answer: a very deep book is to be had at all, though not often. */
const PRICE_OF_LEVELS_MAX = 100;
/** Writing so many takes a fraction of a millisecond. */
const LEVELS_PER_STEP = 256;

type RowsOfKind<Kind extends BatchRows["kind"]> = Extract<BatchRows, { kind: Kind }>["rows"];

type SnapshotParts = MethodParts & { readonly looks: Pick<Looks, "take"> };

/** The state of an instrument now. Parts that it has none of yet, or never, are absent. */
export async function getSnapshot(
  parts: SnapshotParts,
  request: GetSnapshotRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetSnapshotResponse> {
  const { line, spend, signal, principal } = context;
  const listed = requireInstrument(parts.catalog, request, principal);
  const bookTerms = requireLive(listed, principal);
  takeLooks(parts.looks, listed, principal);
  const instrument = permittedInstrument(listed, principal);
  const { venue } = instrument;
  const asker = { line, signal, principal };
  const depth = depthOf(request.depth, bookTerms?.depthMax ?? 0);
  // Reading the whole book is most of the work, however little of it is asked for.
  if (channelsOf(instrument).includes("book")) spend(PRICE_OF_BOOK);
  const [book, quote, trade, ticker] = await Promise.all([
    latest(parts, asker, { instrument, channel: "book" }),
    latest(parts, asker, { instrument, channel: "quotes" }),
    lastTrade(parts, asker, instrument),
    latest(parts, asker, { instrument, channel: "ticker" }),
  ]);
  function* read(): Work<GetSnapshotResponse> {
    const bookState = stateOf(venue, book, "books");
    if (line.isOver) yield;
    const quoteState = stateOf(venue, quote, "quotes");
    const levels = bookState === undefined ? 0 : levelsOf(bookState, depth);
    spend(Math.min(PRICE_OF_LEVELS_MAX, Math.floor(levels / ROWS_PER_REQUEST)));
    return {
      instrument,
      book: bookState === undefined ? undefined : yield* bookOf(bookState, depth, line),
      quote: quoteState === undefined ? undefined : quoteOf(quoteState),
      trade,
      // A row has the fields of the message.
      ticker: stateOf(venue, ticker, "tickers")?.rows.at(-1) as Ticker | undefined,
    };
  }
  return line.run(read());
}

/** Channels of which a snapshot has the state. */
const SNAPSHOT_CHANNELS = ["book", "quotes", "trades", "ticker"] as const;

/**
 * In what way the book is to be had; undefined if it is not.
 * @throws RpcError `permission_denied` if the client may have nothing of a snapshot as it is now.
 */
function requireLive(instrument: Instrument, principal: Principal): Terms | undefined {
  const live = SNAPSHOT_CHANNELS.filter(
    (channel) => liveTerms(principal, instrument, channel) !== undefined,
  );
  if (live.length === 0) throw permissionDenied("asking for the state of that instrument now");
  return liveTerms(principal, instrument, "book");
}

/**
 * Sees each channel once, of which the client may have a batch only every so often.
 * @throws RpcError `resource_exhausted` if he has seen one of them too often for now.
 */
function takeLooks(looks: SnapshotParts["looks"], instrument: Instrument, who: Principal): void {
  const { venue, symbol } = instrument;
  for (const channel of SNAPSHOT_CHANNELS) {
    const terms = liveTerms(who, instrument, channel);
    if (terms === undefined || !channelsOf(instrument).includes(channel)) continue;
    const retryAfterMs = looks.take(who, { venue, symbol, channel }, terms);
    if (retryAfterMs === 0) continue;
    const message = `you may see ${channel} of that instrument every ${terms.intervalMsMin} ms`;
    const detail = { reason: "INTERVAL", retryAfterMs };
    throw new RpcError("resource_exhausted", message, { detail });
  }
}

/** Levels that are shown of those that are asked for; 0 stands for all. */
function depthOf(asked: number, depthMax: number): number {
  if (depthMax === 0) return asked;
  return asked === 0 ? depthMax : Math.min(asked, depthMax);
}

type BookSide = RowsOfKind<"books">[number]["bids"];

type Latest<Kind extends BatchRows["kind"]> = {
  readonly sequence: number;
  readonly rows: RowsOfKind<Kind>;
};

/** The bytes of a snapshot; undefined if the instrument has no such channel. */
async function latest(
  parts: MethodParts,
  asker: Asker & Pick<RpcContext, "principal">,
  { instrument, channel }: { readonly instrument: Instrument; readonly channel: Channel },
): Promise<Uint8Array | undefined> {
  if (!channelsOf(instrument).includes(channel)) return undefined;
  if (liveTerms(asker.principal, instrument, channel) === undefined) return undefined;
  const { venue, symbol } = instrument;
  const query = { venue, query: "snapshot", channel, symbol } as const;
  // The request is the payload, which tells this query apart from that for a topic that is
  // followed: it asks for no pages, as none of these channels has a state of many events.
  const payload = GetSnapshotRequestCodec.encode({ venue, symbol, depth: 0 });
  return queryIngestor(parts, asker, query, payload);
}

function stateOf<Kind extends BatchRows["kind"]>(
  venue: string,
  bytes: Uint8Array | undefined,
  kind: Kind,
): Latest<Kind> | undefined {
  if (bytes === undefined) return undefined;
  const { sequence, states } = readAnswer(venue, () => {
    const read = decodeSnapshotEvents(bytes);
    return { sequence: read.sequence, states: read.events.map((batch) => rowsOf(batch)) };
  });
  const rows = states.flatMap((state) => (state.kind === kind ? [...state.rows] : []));
  if (rows.length === 0) return undefined;
  return { sequence, rows: rows as unknown as RowsOfKind<Kind> };
}

async function lastTrade(
  parts: MethodParts,
  asker: Asker & Pick<RpcContext, "principal">,
  instrument: Instrument,
): Promise<Trade | undefined> {
  if (!channelsOf(instrument).includes("trades")) return undefined;
  if (liveTerms(asker.principal, instrument, "trades") === undefined) return undefined;
  const { venue, symbol } = instrument;
  const payload = GetTradesRequestCodec.encode({ venue, symbol, pageSize: 1 });
  const answer = await queryIngestor(parts, asker, { venue, query: "trades", symbol }, payload);
  return readAnswer(venue, () => GetTradesResponseCodec.decode(answer)).trades.at(-1);
}

/** Levels of one side that are asked for. */
function countOf({ prices }: BookSide, depth: number): number {
  return depth === 0 ? prices.length : Math.min(depth, prices.length);
}

function levelsOf({ rows }: Latest<"books">, depth: number): number {
  const row = rows.at(-1);
  return row === undefined ? 0 : countOf(row.bids, depth) + countOf(row.asks, depth);
}

function* bookOf(
  state: Latest<"books">,
  depth: number,
  line: RpcContext["line"],
): Work<Book | undefined> {
  const row = state.rows.at(-1);
  if (row === undefined) return undefined;
  const { priceScale, sizeScale } = row;
  function* levels(side: BookSide): Work<BookLevel[]> {
    const written: BookLevel[] = [];
    for (let index = 0; index < countOf(side, depth); index += 1) {
      if (index % LEVELS_PER_STEP === 0 && line.isOver) yield;
      const price = text(side.prices[index], priceScale);
      written.push({ price, size: text(side.sizes[index], sizeScale) });
    }
    return written;
  }
  return {
    sequence: state.sequence,
    venueTimeUs: row.venueTimeUs,
    receivedTimeUs: row.receivedTimeUs,
    bids: yield* levels(row.bids),
    asks: yield* levels(row.asks),
  };
}

function quoteOf(state: Latest<"quotes">): Quote | undefined {
  const row = state.rows.at(-1);
  if (row === undefined) return undefined;
  return {
    sequence: state.sequence,
    venueTimeUs: row.venueTimeUs,
    receivedTimeUs: row.receivedTimeUs,
    ...sideOf("bid", row.bidPriceMantissa, row.bidSizeMantissa, row),
    ...sideOf("ask", row.askPriceMantissa, row.askSizeMantissa, row),
  } as Quote;
}

/** The price of a side without orders means nothing; it is written as 0. */
function sideOf(
  side: "bid" | "ask",
  price: Mantissa,
  size: Mantissa,
  scales: { readonly priceScale: number; readonly sizeScale: number },
): Record<string, string> {
  const sizeText = text(size, scales.sizeScale);
  const priceText = sizeText === "0" ? "0" : text(price, scales.priceScale);
  return { [`${side}Price`]: priceText, [`${side}Size`]: sizeText };
}

function text(mantissa: Mantissa | undefined, scale: number): string {
  return formatDecimal(mantissa ?? 0, scale);
}
