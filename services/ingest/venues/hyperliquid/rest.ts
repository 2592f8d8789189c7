// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RecordedRequest, RestRequest } from "../../feed/feed-adapter.ts";
import { isRecord, type JsonRecord, parseJson } from "../../reading/text-fields.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** Names of exchanges and of tokens that can be handed on. */
const DEX_NAME = /^[A-Za-z0-9]{1,16}$/;
const NAME = /^[\p{L}\p{N}._]+$/u;

/** Candles that are asked for at once, of which 60 weigh one more. */
const CANDLES_MAX = 1200;
const CANDLES_PER_WEIGHT = 60;

/** Behind the address of a look at a book's best levels; what follows a # is not sent. */
const BOOK_FRAGMENT = "#l2Book=";

/** What recorded addresses were asked for. */
export function hyperliquidRecordedRequest(url: string): RecordedRequest | undefined {
  const coin = /\/info#recentTrades=(.+)$/.exec(url)?.[1];
  if (coin !== undefined) return { kind: "trades", venueSymbol: decodeURIComponent(coin) };
  // A few levels of a book are neither its beginning nor a list.
  if (url.includes(BOOK_FRAGMENT)) return undefined;
  return /\/info\/?(?:[?#]|$)/.test(url) ? { kind: "instruments" } : undefined;
}

/**
 * Perpetuals, spot pairs, and from there the exchanges that others run on the venue, told apart by
 * the body of the request alone.
 */
export function hyperliquidInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  return [info(endpoints, { type: "meta" }), info(endpoints, { type: "spotMeta" })];
}

/**
 * After the spot pairs come the names of the exchanges that others run, then the list of each. What
 * the later answers need of the earlier ones is handed on behind the # of the address, which is
 * not sent: what the pairs are priced in, by the venue's number, and the exchanges still to ask.
 */
export function nextHyperliquidRequest(
  request: RestRequest,
  body: string,
): RestRequest | undefined {
  const [url = "", fragment = ""] = request.url.split("#");
  const answer = parseJson(body);
  const handed = new URLSearchParams(fragment);
  if (Array.isArray(answer)) handed.set("dexs", namesOf(answer).join(","));
  else if (isRecord(answer) && Array.isArray(answer["tokens"])) {
    handed.set("quotes", quotesOf(answer));
    return at(url, handed, { type: "perpDexs" });
  }
  const [dex, ...others] = (handed.get("dexs") ?? "").split(",");
  if (dex === undefined || dex === "") return undefined;
  handed.set("dexs", others.join(","));
  return at(url, handed, { type: "meta", dex });
}

/** What an exchange is priced in, by the number that it gives; undefined if that is not known. */
export function hyperliquidQuote(url: string, token: number): string | undefined {
  const handed = new URLSearchParams(url.split("#")[1] ?? "");
  const quotes = (handed.get("quotes") ?? "").split(",").map((quote) => quote.split(":"));
  return quotes.find(([index]) => index === String(token))?.[1];
}

function at(url: string, handed: URLSearchParams, asked: object): RestRequest {
  return { ...info({ rest: "" }, asked), url: `${url}#${handed.toString()}` };
}

/** The venue's own exchange is the first and has no name. */
function namesOf(exchanges: readonly unknown[]): readonly string[] {
  return exchanges
    .map((exchange) => (isRecord(exchange) ? exchange["name"] : undefined))
    .filter((name) => typeof name === "string" && DEX_NAME.test(name)) as readonly string[];
}

/** The tokens that pairs are priced in: a dozen of hundreds. */
function quotesOf(spot: JsonRecord): string {
  const pairs = Array.isArray(spot["universe"]) ? (spot["universe"] as readonly unknown[]) : [];
  const used = new Set(pairs.map((pair) => (isRecord(pair) ? quoteIn(pair["tokens"]) : undefined)));
  const tokens = Array.isArray(spot["tokens"]) ? (spot["tokens"] as readonly unknown[]) : [];
  return tokens
    .filter(isRecord)
    .filter(({ name, index }) => used.has(index) && typeof name === "string" && NAME.test(name))
    .map(({ name, index }) => `${String(index)}:${String(name)}`)
    .join(",");
}

function quoteIn(tokens: unknown): unknown {
  return Array.isArray(tokens) ? (tokens as readonly unknown[])[1] : undefined;
}

/**
 * The latest trades. Every request goes to one address; what follows the # is not sent: it says in
 * a recording what was asked for.
 */
export function hyperliquidTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const request = info(endpoints, { type: "recentTrades", coin: venueSymbol });
  return { ...request, url: `${request.url}#recentTrades=${encodeURIComponent(venueSymbol)}` };
}

/** Of 1,200 a minute, lists and trades cost 20. */
function info({ rest }: Pick<FeedEndpoints, "rest">, asked: object): RestRequest {
  return { url: `${rest}/info`, weight: 20, method: "POST", body: JSON.stringify(asked) };
}

export const HYPERLIQUID_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, endpoints) => {
    const asked = info(endpoints, { type: "l2Book", coin: venueSymbol });
    const url = asked.url + BOOK_FRAGMENT + encodeURIComponent(venueSymbol);
    return { ...asked, url, weight: 2 };
  },
  { at: ["levels"], bids: 0, asks: 1, price: "px", size: "sz" },
);

/** Candles of the past; the venue keeps the latest 5,000 of each length. */
export const hyperliquidCandles = candleHistory({
  intervals: namedIntervals("1m 3m 5m 15m 30m 1h 2h 4h 8h 12h 1d 3d 1w"),
  rowsMax: CANDLES_MAX,
  request: ({ instrument, name: interval, fromMs, lastMs }, endpoints) => {
    const coin = instrument.venueSymbol;
    const req = { coin, interval, startTime: fromMs, endTime: lastMs };
    const request = info(endpoints, { type: "candleSnapshot", req });
    return { ...request, weight: request.weight + CANDLES_MAX / CANDLES_PER_WEIGHT };
  },
  rowsOf: rowsAt(),
  columnsOf: () => ({
    openTime: "t",
    open: "o",
    high: "h",
    low: "l",
    close: "c",
    volume: "v",
    tradeCount: "n",
  }),
});
