import {
  MarketData,
  type GetCandlesRequest,
  type GetCandlesResponse,
  type GetInstrumentRequest,
  type GetInstrumentResponse,
  type GetServerTimeRequest,
  type GetSnapshotRequest,
  type GetSnapshotResponse,
  type GetStatusRequest,
  type GetStatusResponse,
  type GetTradesRequest,
  type GetTradesResponse,
  type ListInstrumentsRequest,
  type ListInstrumentsResponse,
  type MarketDataClient,
  type MessageInit,
  type ReplayRequest,
  type ReplayResponse,
  type VenueHealth,
} from "@tickwire/proto/service";
import { RpcError } from "../errors.ts";
import type {
  BookValues,
  CandleValues,
  QuoteValues,
  StatusValues,
  TickerValues,
  TradeValues,
} from "../events/event-values.ts";
import {
  bookValues,
  candleValues,
  instrumentValues,
  quoteValues,
  statusValues,
  textOrNone,
  tickerValues,
  tradeValues,
} from "./answer-values.ts";
import { whereOf } from "./call-errors.ts";
import type { CallOptions } from "./call-options.ts";
import type { Instrument, InstrumentKind } from "./instrument.ts";

/** The methods of a gateway, with messages as the schema has them. */
export type RpcMessages = MarketDataClient<CallOptions>;

/** Which instruments are wanted; what is left out does not matter. */
export type InstrumentsRequest = Omit<MessageInit<ListInstrumentsRequest>, "kind"> & {
  /** Only instruments of this kind. */
  readonly kind?: InstrumentKind | undefined;
};

/** The state of an instrument; each part is undefined if the instrument has none yet. */
export type Snapshot = {
  /** The instrument itself. */
  readonly instrument: Instrument | undefined;
  /** Its book, to the depth asked for. */
  readonly book: BookValues | undefined;
  /** Its best bid and offer. */
  readonly quote: QuoteValues | undefined;
  /** Its last trade. */
  readonly trade: TradeValues | undefined;
  /** Its statistics of the last 24 hours. */
  readonly ticker: TickerValues | undefined;
};

/** What a page of the past says besides its rows. */
export type HistoryPage = {
  /** For the same request again; undefined on the last page. */
  readonly nextPageToken: string | undefined;
  /** The oldest that is kept; undefined if nothing is. About the time before there is no answer. */
  readonly keptFromTimeUs: number | undefined;
};

/**
 * The typed methods. Answers say things as the streams do. Unary methods reject with RpcError;
 * streaming ones throw it to their loop.
 */
export type Rpc = {
  /** The instruments that are streamed here, in pages. */
  listInstruments(
    request: InstrumentsRequest,
    options?: CallOptions,
  ): Promise<{
    readonly instruments: readonly Instrument[];
    /** For the request of the next page; undefined on the last. */
    readonly nextPageToken: string | undefined;
  }>;
  /** One instrument; `not-found` if the venue has no such instrument. */
  getInstrument(
    request: MessageInit<GetInstrumentRequest>,
    options?: CallOptions,
  ): Promise<{ readonly instrument: Instrument | undefined }>;
  /** The state of an instrument now: book to a depth, quote, last trade, ticker. */
  getSnapshot(request: MessageInit<GetSnapshotRequest>, options?: CallOptions): Promise<Snapshot>;
  /**
   * The latest trades, or those from `fromTimeUs` until before `toTimeUs`; oldest first, in pages.
   * With `fromTimeUs` the next page has later trades, without it earlier ones.
   */
  getTrades(
    request: MessageInit<GetTradesRequest>,
    options?: CallOptions,
  ): Promise<HistoryPage & { readonly trades: readonly TradeValues[] }>;
  /**
   * The same of candles, by the start of each. `intervalMs` is one of the instrument's
   * `candleIntervalsMs`, or the shortest of them if it is left out.
   */
  getCandles(
    request: MessageInit<GetCandlesRequest>,
    options?: CallOptions,
  ): Promise<HistoryPage & { readonly candles: readonly CandleValues[] }>;
  /**
   * The state of every channel of an instrument, or of a whole venue in pages. With `health`, how
   * the venue does as a whole.
   */
  getStatus(
    request: MessageInit<GetStatusRequest>,
    options?: CallOptions,
  ): Promise<{
    readonly statuses: readonly StatusValues[];
    /** One for each ingestor that publishes a part of the venue; empty if nobody asked. */
    readonly health: readonly VenueHealth[];
    /** For the request of the next page; undefined on the last. */
    readonly nextPageToken: string | undefined;
  }>;
  /** The gateway's clock, microseconds since 1970. */
  getServerTime(
    request: MessageInit<GetServerTimeRequest>,
    options?: CallOptions,
  ): Promise<{ readonly serverTimeUs: number }>;
  /**
   * Past events of topics as encoded batches; `unimplemented` where no log is kept. The client of
   * the main entry has them as events: `client.replay()`.
   */
  replay(request: MessageInit<ReplayRequest>, options?: CallOptions): AsyncIterable<ReplayResponse>;
};

/** The calls of one client in both forms. */
export type ClientCalls = {
  /** The typed methods. */
  readonly rpc: Rpc;
  /** The same with messages as the schema has them. */
  readonly rpcMessages: RpcMessages;
};

/** The answers of each method in our words; those of the others are as they come. */
const SHAPES: Partial<{ readonly [Name in keyof Rpc]: (answer: never) => unknown }> = {
  listInstruments: ({ instruments, nextPageToken }: ListInstrumentsResponse) => ({
    instruments: instruments.map(instrumentValues),
    nextPageToken: textOrNone(nextPageToken),
  }),
  getInstrument: ({ instrument }: GetInstrumentResponse) => ({
    instrument: instrument && instrumentValues(instrument),
  }),
  getSnapshot: ({ instrument, book, quote, trade, ticker }: GetSnapshotResponse) => ({
    instrument: instrument && instrumentValues(instrument),
    book: book && bookValues(book),
    quote: quote && quoteValues(quote),
    trade: trade && tradeValues(trade),
    ticker: ticker && tickerValues(ticker),
  }),
  getTrades: (answer: GetTradesResponse) => ({
    trades: answer.trades.map(tradeValues),
    ...historyPage(answer),
  }),
  getCandles: (answer: GetCandlesResponse) => ({
    candles: answer.candles.map(candleValues),
    ...historyPage(answer),
  }),
  getStatus: ({ statuses, health, nextPageToken }: GetStatusResponse) => ({
    statuses: statuses.flatMap((status) => statusValues(status) ?? []),
    health,
    nextPageToken: textOrNone(nextPageToken),
  }),
};

/** A method whatever it is called with. */
type Method = (request: object, options?: CallOptions) => unknown;

/** The methods with answers in the words of the streams. */
export function marketDataRpc(messages: RpcMessages): Rpc {
  const rpc: Record<string, Method> = { ...messages } as never;
  for (const [name, valuesOf] of Object.entries(SHAPES)) {
    const method = rpc[name]!;
    rpc[name] = (request, options) => {
      // Callers without types may give nothing, which the codec refuses.
      const kind = (request as InstrumentsRequest | undefined)?.kind;
      const wire = kind === undefined ? request : { ...request, kind: kindToWire(kind) };
      const { fullName } = MarketData.methods[name as keyof Rpc];
      return shaped(fullName, method(wire, options) as Promise<never>, valuesOf);
    };
  }
  return rpc as unknown as Rpc;
}

/** The answer in our words; rejects with RpcError `internal` for one that holds no such thing. */
async function shaped<Answer, Values>(
  fullName: string,
  answer: Promise<Answer>,
  valuesOf: (answer: Answer) => Values,
): Promise<Values> {
  const given = await answer;
  try {
    return valuesOf(given);
  } catch (cause) {
    const where = { ...whereOf({ fullName }), cause };
    throw new RpcError("internal", "the response cannot be read", where);
  }
}

function historyPage(answer: GetTradesResponse | GetCandlesResponse): HistoryPage {
  const { nextPageToken, keptFromTimeUs } = answer;
  return {
    nextPageToken: textOrNone(nextPageToken),
    keptFromTimeUs: keptFromTimeUs === 0 ? undefined : keptFromTimeUs,
  };
}

function kindToWire(kind: InstrumentKind) {
  return `INSTRUMENT_KIND_${kind.toUpperCase() as Uppercase<InstrumentKind>}` as const;
}
