import { gzipSync } from "node:zlib";
import type { Frame } from "./dialect.ts";
import type { ScriptedVenueId } from "./registry.ts";

// How each venue words an error in answer to a request, written from its documentation and not from
// the adapter. `passing` is one that goes away by itself, `final` one that does not.

export type RefusalKind = "passing" | "final";

type Request = Readonly<Record<string, unknown>>;

/** The frames that answer a request with an error; none where the venue has no such answer. */
type Refuse = (request: Request, kind: RefusalKind) => readonly unknown[];

const isPassing = (kind: RefusalKind): boolean => kind === "passing";

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** One code and message for the whole request, of which none is subscribed. */
const binance: Refuse = ({ id }, kind) => [
  isPassing(kind)
    ? { error: { code: -1008, msg: "Server is currently overloaded with other requests." }, id }
    : { error: { code: 2, msg: "Invalid request: unknown variant" }, id },
];

const bitget =
  (argument: (arg: Request) => string): Refuse =>
  ({ args }, kind) =>
    list(args).map((arg) => ({
      event: "error",
      arg,
      code: isPassing(kind) ? 30_006 : 30_001,
      msg: isPassing(kind) ? "request too many" : `${argument(arg as Request)} doesn't exist`,
    }));

const gate: Refuse = ({ id, time, channel, event, payload }, kind) => [
  {
    id,
    time,
    channel,
    event,
    payload,
    error: isPassing(kind)
      ? { code: 3, message: "service error" }
      : { code: 2, message: "unknown currency pair" },
    result: null,
  },
];

const krakenWords = (kind: RefusalKind): string =>
  isPassing(kind) ? "EService:Unavailable" : "Currency pair not supported";

const kraken: Refuse = ({ method, params, req_id: requestId }, kind) =>
  list((params as Request)["symbol"]).map((symbol) => ({
    method,
    req_id: requestId,
    success: false,
    symbol,
    error: krakenWords(kind),
  }));

const kucoin: Refuse = ({ id, topic }, kind) => [
  {
    id,
    type: "error",
    code: isPassing(kind) ? 500 : 404,
    data: isPassing(kind) ? "server error" : `topic ${String(topic)} is not found`,
  },
];

const htx: Refuse = ({ id, sub, req }, kind) => [
  {
    status: "error",
    ts: 1,
    id,
    "err-code": "bad-request",
    "err-msg": isPassing(kind) ? "request timeout" : `invalid topic ${String(sub ?? req)}`,
  },
];

const okx: Refuse = ({ id, args }, kind) =>
  list(args).map((arg) => {
    const { channel, instId, sprdId } = arg as Readonly<Record<string, string | undefined>>;
    const name = instId === undefined ? `sprdId:${sprdId}` : `instId:${instId}`;
    return {
      id,
      event: "error",
      connId: "a4d3ae55",
      code: isPassing(kind) ? "63999" : "60018",
      msg: isPassing(kind)
        ? "Internal system error"
        : `Wrong URL or channel:${String(channel)},${name} doesn't exist.`,
    };
  });

const REFUSALS: Readonly<Record<ScriptedVenueId, Refuse>> = {
  binance,
  "binance-coinm": binance,
  "binance-usdm": binance,
  bitfinex: (request, kind) => [
    {
      ...request,
      event: "error",
      code: isPassing(kind) ? 10_300 : 10_001,
      msg: isPassing(kind) ? "subscribe: temporarily failed" : "symbol: invalid",
    },
  ],
  bitget: bitget((arg) => JSON.stringify(arg)),
  "bitget-v1": bitget(
    ({ instType, channel, instId }) =>
      `instType:${String(instType)},channel:${String(channel)},instId:${String(instId)}`,
  ),
  // Its errors name no subscription.
  bithumb: () => [],
  bitmex: (request, kind) =>
    list(request["args"]).map((topic) => ({
      status: isPassing(kind) ? 503 : 400,
      error: isPassing(kind) ? "The system is currently overloaded." : "Unknown or expired symbol.",
      meta: {},
      request: { ...request, args: [topic] },
    })),
  bitstamp: ({ data }, kind) => [
    {
      event: "bts:error",
      channel: (data as Request)["channel"],
      data: {
        code: null,
        message: isPassing(kind) ? "Service unavailable, try again" : "Bad subscription string.",
      },
    },
  ],
  bybit: ({ req_id: requestId, op }, kind) => [
    {
      success: false,
      conn_id: "c",
      req_id: requestId,
      op,
      ret_msg: isPassing(kind) ? "server error, try again" : "error:handler not found",
    },
  ],
  coinbase: ({ product_ids: products }, kind) =>
    list(products).map((product) => ({
      type: "error",
      message: "Failed to subscribe",
      reason: isPassing(kind)
        ? "internal error, try again"
        : `${String(product)} is not a valid product`,
    })),
  "coinbase-advanced": ({ product_ids: products }, kind) => [
    {
      type: "error",
      message: isPassing(kind)
        ? "rate limit exceeded"
        : `${String(list(products)[0])} is not a valid product`,
    },
  ],
  cryptocom: ({ id }, kind) => [
    isPassing(kind)
      ? { id, method: "subscribe", code: 40_801, message: "Request has timed out." }
      : { id, method: "subscribe", code: 209, message: "Instrument is invalid" },
  ],
  deribit: ({ id }, kind) => [
    {
      jsonrpc: "2.0",
      id,
      error: isPassing(kind)
        ? { code: 10_040, message: "retry" }
        : { code: -32_602, message: "Invalid params" },
    },
  ],
  dydx: ({ channel, id }, kind) => {
    const error = { type: "error", connection_id: "c" };
    if (isPassing(kind)) {
      const message = `Internal error, could not fetch data for subscription: ${text(channel)}.`;
      return [{ ...error, message, channel, id }];
    }
    const message = `Invalid subscription id for channel: (${text(channel)}-${text(id)})`;
    return [{ ...error, message }];
  },
  gateio: gate,
  "gateio-futures": gate,
  gemini: ({ id }, kind) => [
    isPassing(kind)
      ? { id, status: 503, error: { code: -1001, msg: "Service unavailable" } }
      : { id, status: 400, error: { code: -1121, msg: "Invalid symbol" } },
  ],
  "gemini-v2": () => [],
  htx,
  "htx-coinm": htx,
  hyperliquid: ({ subscription }, kind) => [
    {
      channel: "error",
      data: isPassing(kind)
        ? `Too many requests ${JSON.stringify(subscription)}`
        : `Invalid subscription ${JSON.stringify(subscription)}`,
    },
  ],
  kraken,
  "kraken-futures": (_request, kind) => [
    { event: "error", message: isPassing(kind) ? "Feed unavailable" : "Invalid product id" },
  ],
  "kraken-futures-v2": kraken,
  "kraken-v1": ({ pair, reqid, subscription }, kind) =>
    list(pair).map((each) => ({
      event: "subscriptionStatus",
      pair: each,
      reqid,
      subscription,
      status: "error",
      errorMessage: krakenWords(kind),
    })),
  kucoin,
  "kucoin-futures": kucoin,
  "kucoin-uta": ({ id }, kind) => [
    { id, result: false, reason: isPassing(kind) ? "Service busy" : "topic is invalid" },
  ],
  mexc: ({ id, params }, kind) => [
    {
      id,
      code: 0,
      msg: `Not Subscribed successfully! [${String(list(params)[0])}].  Reason： ${
        isPassing(kind) ? "Service busy" : "Blocked!"
      } `,
    },
  ],
  "mexc-futures": ({ param }, kind) => [
    {
      channel: "rs.error",
      data: isPassing(kind)
        ? "System busy"
        : `Contract [${text((param as Request)["symbol"])}] not exists`,
      ts: 1_790_127_492_718,
    },
  ],
  okx,
  "okx-spreads": okx,
  // Its errors name no subscription.
  upbit: () => [],
};

/** Where a request names several things that the venue answers each by itself. */
const LISTS: Partial<Record<ScriptedVenueId, readonly string[]>> = {
  bitget: ["args"],
  "bitget-v1": ["args"],
  bitmex: ["args"],
  okx: ["args"],
  kraken: ["params", "symbol"],
  "kraken-futures-v2": ["params", "symbol"],
  "kraken-v1": ["pair"],
};

/** A request cut in two: what of it is refused, and what is not; undefined if that is nothing. */
export function separated(
  venue: ScriptedVenueId,
  frame: string,
  isRefused: (name: string) => boolean,
): { readonly refused: string; readonly others: string | undefined } {
  const path = LISTS[venue];
  if (path === undefined) return { refused: frame, others: undefined };
  const request = JSON.parse(frame) as Request;
  const names = list(path.reduce<unknown>((value, step) => (value as Request)[step], request));
  const withNames = (kept: readonly unknown[]): string => {
    const [first = "", second] = path;
    const value = second === undefined ? kept : { ...(request[first] as object), [second]: kept };
    return JSON.stringify({ ...request, [first]: value });
  };
  const isBad = (name: unknown): boolean => isRefused(JSON.stringify(name));
  const others = names.filter((name) => !isBad(name));
  return {
    refused: withNames(names.filter(isBad)),
    others: others.length === 0 ? undefined : withNames(others),
  };
}

/** The frames that refuse a client's request; none where the venue never refuses one. */
export function refusalFrames(
  venue: ScriptedVenueId,
  frame: string,
  kind: RefusalKind,
): readonly Frame[] {
  const answers = REFUSALS[venue](JSON.parse(frame) as Request, kind);
  const texts = answers.map((answer) => JSON.stringify(answer));
  return venue === "htx" || venue === "htx-coinm" ? texts.map((text) => gzipSync(text)) : texts;
}
