import type { MarketBook } from "../scripted-venue-market.ts";
import type { Frame } from "./dialect.ts";
import type { ScriptedVenueId } from "./registry.ts";
import { iso, ms } from "./texts.ts";

// Quotes and tickers of some venues, written from their documentation and not from the adapters:
// what a request asks for, and the frames that follow from a book.

/** A channel that follows from the book. */
export type SummaryChannel = "quotes" | "ticker";

/** What a request asks for, or ends. */
type SummaryRequest = {
  readonly kind: "subscribe" | "unsubscribe";
  readonly symbol: string;
  /** Those that one stream of the venue carries. */
  readonly channels: readonly SummaryChannel[];
};

type Summaries = {
  read(frame: string): readonly SummaryRequest[];
  frames(symbol: string, book: MarketBook, timeUs: number): Partial<Record<SummaryChannel, Frame>>;
};

const BOTH: readonly SummaryChannel[] = ["quotes", "ticker"];

function best({ bids, asks }: MarketBook) {
  const [[bid, bidSize] = ["0", "0"]] = bids;
  const [[ask, askSize] = ["0", "0"]] = asks;
  return { bid, bidSize, ask, askSize };
}

/** The kind of a request by the word that says so. */
const kindOf = (word: string): SummaryRequest["kind"] =>
  word.toLowerCase().startsWith("unsub") ? "unsubscribe" : "subscribe";

const binance: Summaries = {
  read(frame) {
    const { method, params } = JSON.parse(frame) as { method: string; params: string[] };
    return params.flatMap((stream): SummaryRequest[] => {
      const [name = "", channel] = stream.split("@");
      const asked = { kind: kindOf(method), symbol: name.toUpperCase() };
      if (channel === "bookTicker") return [{ ...asked, channels: ["quotes"] }];
      return channel === "ticker" ? [{ ...asked, channels: ["ticker"] }] : [];
    });
  },
  frames(symbol, book, timeUs) {
    const { bid, bidSize, ask, askSize } = best(book);
    const sides = { b: bid, B: bidSize, a: ask, A: askSize };
    const u = book.lastUpdateId;
    const quote = { e: "bookTicker", u, s: symbol, ...sides, T: ms(timeUs), E: ms(timeUs) };
    const range = { o: bid, h: ask, l: bid, c: bid, w: bid, v: "1", q: "1", p: "0", P: "0" };
    const ids = { Q: "1", O: 1, C: ms(timeUs), F: 1, L: 1, n: 1 };
    const ticker = { e: "24hrTicker", E: ms(timeUs), s: symbol, ...sides, ...range, ...ids };
    const name = symbol.toLowerCase();
    return {
      quotes: JSON.stringify({ stream: `${name}@bookTicker`, data: quote }),
      ticker: JSON.stringify({ stream: `${name}@ticker`, data: ticker }),
    };
  },
};

const OKX_CHANNELS: Readonly<Record<string, SummaryChannel>> = {
  "bbo-tbt": "quotes",
  tickers: "ticker",
};

const SUMMARIES: Partial<Record<ScriptedVenueId, Summaries>> = {
  binance,
  "binance-usdm": binance,
  "binance-coinm": binance,
  bybit: {
    read(frame) {
      const { op, args = [] } = JSON.parse(frame) as { op: string; args?: string[] };
      return args.flatMap((topic): SummaryRequest[] => {
        const symbol = topic.slice(topic.lastIndexOf(".") + 1);
        const asked = { kind: kindOf(op), symbol };
        if (topic.startsWith("orderbook.1.")) return [{ ...asked, channels: ["quotes"] }];
        return topic.startsWith("tickers.") ? [{ ...asked, channels: ["ticker"] }] : [];
      });
    },
    frames(symbol, book, timeUs) {
      const { bid, bidSize, ask, askSize } = best(book);
      const u = book.lastUpdateId;
      const levels = { s: symbol, b: [[bid, bidSize]], a: [[ask, askSize]], u, seq: u };
      const range = { lastPrice: bid, highPrice24h: ask, lowPrice24h: bid, prevPrice24h: bid };
      const data = { symbol, ...range, volume24h: "1", turnover24h: "1", price24hPcnt: "0" };
      const common = { type: "snapshot", ts: ms(timeUs) };
      return {
        quotes: JSON.stringify({ topic: `orderbook.1.${symbol}`, ...common, data: levels }),
        ticker: JSON.stringify({ topic: `tickers.${symbol}`, ...common, cs: u, data }),
      };
    },
  },
  coinbase: {
    read(frame) {
      const request = JSON.parse(frame) as {
        type: string;
        product_ids: string[];
        channels: string[];
      };
      if (!request.channels.includes("ticker")) return [];
      const kind = kindOf(request.type);
      return request.product_ids.map((symbol) => ({ kind, symbol, channels: BOTH }));
    },
    frames(symbol, book, timeUs) {
      const { bid, bidSize, ask, askSize } = best(book);
      const range = { open_24h: bid, volume_24h: "1", low_24h: bid, high_24h: ask };
      const sides = {
        best_bid: bid,
        best_bid_size: bidSize,
        best_ask: ask,
        best_ask_size: askSize,
      };
      const trade = { price: bid, side: "buy", trade_id: 1, last_size: "1", volume_30d: "1" };
      const about = { type: "ticker", sequence: 1, product_id: symbol, time: iso(timeUs) };
      return { ticker: JSON.stringify({ ...about, ...range, ...sides, ...trade }) };
    },
  },
  kraken: {
    read(frame) {
      const { method, params } = JSON.parse(frame) as {
        method: string;
        params?: { channel: string; symbol?: string[] };
      };
      if (params?.channel !== "ticker") return [];
      const kind = kindOf(method);
      return (params.symbol ?? []).map((symbol) => ({ kind, symbol, channels: BOTH }));
    },
    frames(symbol, book, timeUs) {
      const { bid, bidSize, ask, askSize } = best(book);
      const sides = `"bid":${bid},"bid_qty":${bidSize},"ask":${ask},"ask_qty":${askSize}`;
      const range = `"last":${bid},"volume":1.0,"vwap":${bid},"low":${bid},"high":${ask}`;
      const change = `"change":0.0,"change_pct":0.0,"timestamp":"${iso(timeUs)}"`;
      const data = `{"symbol":"${symbol}",${sides},${range},${change}}`;
      return { ticker: `{"channel":"ticker","type":"update","data":[${data}]}` };
    },
  },
  okx: {
    read(frame) {
      if (frame === "ping") return [];
      const { op, args } = JSON.parse(frame) as {
        op: string;
        args: { channel: string; instId: string }[];
      };
      return args.flatMap(({ channel, instId: symbol }): SummaryRequest[] => {
        const summary = OKX_CHANNELS[channel];
        return summary === undefined ? [] : [{ kind: kindOf(op), symbol, channels: [summary] }];
      });
    },
    frames(symbol, book, timeUs) {
      const { bid, bidSize, ask, askSize } = best(book);
      const ts = String(ms(timeUs));
      const sides = { bids: [[bid, bidSize, "0", "1"]], asks: [[ask, askSize, "0", "1"]] };
      const now = { bidPx: bid, bidSz: bidSize, askPx: ask, askSz: askSize, last: bid };
      const day = { open24h: bid, high24h: ask, low24h: bid, vol24h: "1", volCcy24h: "1" };
      const data = { instType: "SPOT", instId: symbol, lastSz: "1", ...now, ...day, ts };
      const frameOf = (channel: string, item: object) =>
        JSON.stringify({ arg: { channel, instId: symbol }, data: [item] });
      return {
        quotes: frameOf("bbo-tbt", { ...sides, ts, seqId: book.lastUpdateId }),
        ticker: frameOf("tickers", data),
      };
    },
  },
};

/** True for a venue whose quotes and tickers are written. */
export function hasSummaries(venue: ScriptedVenueId): boolean {
  return SUMMARIES[venue] !== undefined;
}

/** What a request asks for of quotes and tickers, where they are written. */
export function readSummaries(venue: ScriptedVenueId, frame: string): readonly SummaryRequest[] {
  return SUMMARIES[venue]?.read(frame) ?? [];
}

/** The frames that tell of a book; one frame may tell of both channels. */
export function summaryFrames(
  venue: ScriptedVenueId,
  about: { readonly symbol: string; readonly book: MarketBook; readonly timeUs: number },
): Partial<Record<SummaryChannel, Frame>> {
  return SUMMARIES[venue]?.frames(about.symbol, about.book, about.timeUs) ?? {};
}
