import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectContext, Frame, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";
import { numbers, pack } from "./dialect.ts";

const PRICE_SCALE = 1;
/** A step of the market has two numbers; the venue numbers its messages. */
const UPDATES_PER_VERSION = 2;
const BOOK = "depth.size_150.high_freq";

type Sides = {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
};

function bookFrame(symbol: string, event: string, sides: Sides, timeUs: number): Frame {
  const channel = `market.${symbol}.${BOOK}`;
  return pack(
    `{"ch":"${channel}","tick":{"asks":${numbers(sides.asks)},"bids":${numbers(sides.bids)},` +
      `"ch":"${channel}","event":"${event}","id":99893955238,"mrid":99893955238,` +
      `"ts":${ms(timeUs)},"version":${sides.lastUpdateId / UPDATES_PER_VERSION}},` +
      `"ts":${ms(timeUs)}}`,
  );
}

/** All trades of one match, which here is one. Ids have 15 digits. */
function match({ tradeId, price, size, aggressorSide }: ScriptedTrade, timeUs: number): string {
  const id = `84230699${String(tradeId).padStart(7, "0")}`;
  const direction = aggressorSide === "buyer" ? "buy" : "sell";
  return (
    `{"id":84230699705,"ts":${ms(timeUs)},"data":[{"amount":${size},"quantity":0.0102273366481267,` +
    `"ts":${ms(timeUs)},"id":${id},"price":${price},"direction":"${direction}"}]}`
  );
}

/** https://www.htx.com/en-us/opend/newApiPages/?id=5d5150a9-77b6-11ed-9966-0242ac110003, swaps. */
export const htxCoinm: Dialect = {
  webSocketPath: "",
  quote: "USD",
  // Fewer than the stream's 150 levels are in these markets.
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: 0,
  refusesByName: true,
  venueSymbol: ({ base }) => `${base}-USD`,
  symbol: ({ base }) => `${base}-USD-PERP`,
  greeting: (_connection, timeUs) => [pack(`{"ping":${ms(timeUs)}}`)],
  read: readRequest,
  snapshotFrames: (symbol, book, timeUs) => [bookFrame(symbol, "snapshot", book, timeUs)],
  deltaFrames: (symbol, delta, _after, timeUs) => [bookFrame(symbol, "update", delta, timeUs)],
  tradeFrames: (symbol, trade, timeUs) => [
    pack(
      `{"ch":"market.${symbol}.trade.detail","ts":${ms(timeUs)},"tick":${match(trade, timeUs)}}`,
    ),
  ],
  heartbeatFrame: (_symbol, _connection, timeUs) => pack(`{"ping":${ms(timeUs)}}`),
  listsTrades: true,
  rest(request, markets) {
    const { url, timeUs } = request;
    if (url.pathname === "/api/v1/timestamp") return { status: "ok", ts: ms(timeUs) };
    if (url.pathname === "/swap-ex/market/history/trade") {
      const symbol = url.searchParams.get("contract_code") ?? "";
      const size = Number(url.searchParams.get("size"));
      const latest = request.trades(symbol).slice(-Math.min(size, 2000)).toReversed();
      const data = latest.map((trade) => match(trade, trade.timeUs)).join(",");
      const channel = `market.${symbol}.trade.detail`;
      return `{"ch":"${channel}","status":"ok","ts":${ms(timeUs)},"data":[${data}]}`;
    }
    if (url.pathname === "/api/v1/contract_contract_info") return { status: "ok", data: [] };
    if (url.pathname !== "/swap-api/v1/swap_contract_info") return undefined;
    const data = [...markets].map(([symbol, { base }]) => ({
      symbol: base,
      contract_code: symbol,
      contract_size: base === "BTC" ? 100 : 10,
      price_tick: Number(unitOf(PRICE_SCALE)),
      delivery_time: "",
      create_date: "20200325",
      contract_status: 1,
      settlement_date: String(ms(timeUs)),
    }));
    return { status: "ok", data };
  },
  isSnapshotPath: () => false,
};

function readRequest(
  frame: string,
  { markets, refused, timeUs }: DialectContext,
): readonly ScriptedRequest[] {
  const { id, sub, unsub } = JSON.parse(frame) as { id?: string; sub?: string; unsub?: string };
  const topic = sub ?? unsub;
  // A pong is not answered.
  if (topic === undefined) return [];
  const answer = (fields: object): ScriptedRequest => ({
    kind: "answer",
    frame: pack(JSON.stringify({ id, ts: ms(timeUs), ...fields })),
  });
  const [, symbol = "", ...kind] = topic.split(".");
  if (refused.has(symbol) || !markets.has(symbol)) {
    const fields = { "err-code": "bad-request", "err-msg": `invalid topic ${topic}` };
    return [answer({ status: "error", ...fields })];
  }
  const channel = kind[0] === "depth" ? "book" : "trades";
  if (unsub !== undefined) {
    return [answer({ status: "ok", unsubbed: topic }), { kind: "unsubscribe", channel, symbol }];
  }
  return [answer({ status: "ok", subbed: topic }), { kind: "subscribe", channel, symbol }];
}
