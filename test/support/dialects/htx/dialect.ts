import { gzipSync } from "node:zlib";
import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectContext, Frame, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

const PRICE_SCALE = 2;
const SIZE_SCALE = 4;

/** Every frame is packed by itself. Prices and sizes are bare numbers, ids have 27 digits. */
export function pack(text: string): Frame {
  return new Uint8Array(gzipSync(text));
}

export function numbers(levels: readonly (readonly [string, string])[]): string {
  return `[${levels.map(([price, size]) => `[${price},${size}]`).join(",")}]`;
}

/** All trades of one match, which here is one. */
function match({ tradeId, price, size, aggressorSide }: ScriptedTrade, timeUs: number): string {
  const id = `1001825345262${String(tradeId).padStart(14, "0")}`;
  const direction = aggressorSide === "buyer" ? "buy" : "sell";
  return (
    `{"id":1,"ts":${ms(timeUs)},"data":[{"id":${id},"ts":${ms(timeUs)},"tradeId":${tradeId},` +
    `"amount":${size},"price":${price},"direction":"${direction}"}]}`
  );
}

/** https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003 */
export const htx: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  // Fewer than the stream's 150 levels are in these markets.
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: ({ base, quote }) => `${base}${quote}`.toLowerCase(),
  symbol: ({ base, quote }) => `${base}-${quote}`,
  greeting: (_connection, timeUs) => [pack(`{"ping":${ms(timeUs)}}`)],
  read: readRequest,
  snapshotFrames: () => [],
  deltaFrames: (symbol, { firstUpdateId, lastUpdateId, bids, asks }, _after, timeUs) => [
    pack(
      `{"ch":"market.${symbol}.mbp.150","ts":${ms(timeUs)},"tick":{"seqNum":${lastUpdateId},` +
        `"prevSeqNum":${firstUpdateId - 1},"bids":${numbers(bids)},"asks":${numbers(asks)}}}`,
    ),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    pack(
      `{"ch":"market.${symbol}.trade.detail","ts":${ms(timeUs)},"tick":${match(trade, timeUs)}}`,
    ),
  ],
  heartbeatFrame: (_symbol, _connection, timeUs) => pack(`{"ping":${ms(timeUs)}}`),
  listsTrades: true,
  rest(request, markets) {
    const { url, timeUs } = request;
    if (url.pathname === "/v1/common/timestamp") return { status: "ok", data: ms(timeUs) };
    if (url.pathname === "/market/history/trade") {
      const symbol = url.searchParams.get("symbol") ?? "";
      const size = Number(url.searchParams.get("size"));
      const latest = request.trades(symbol).slice(-Math.min(size, 2000)).toReversed();
      const data = latest.map((trade) => match(trade, trade.timeUs)).join(",");
      const channel = `market.${symbol}.trade.detail`;
      return `{"ch":"${channel}","status":"ok","ts":${ms(timeUs)},"data":[${data}]}`;
    }
    if (url.pathname === "/linear-swap-api/v1/swap_contract_info") {
      return { status: "ok", data: [] };
    }
    if (url.pathname !== "/v1/settings/common/market-symbols") return undefined;
    const data = [...markets].map(([symbol, { base, quote }]) => ({
      symbol,
      state: "online",
      bc: base.toLowerCase(),
      qc: quote.toLowerCase(),
      pp: PRICE_SCALE,
      ap: SIZE_SCALE,
    }));
    return { status: "ok", data };
  },
  isSnapshotPath: () => false,
};

function readRequest(
  frame: string,
  { markets, refused, timeUs }: DialectContext,
): readonly ScriptedRequest[] {
  const { id, sub, unsub, req } = JSON.parse(frame) as {
    id?: string;
    sub?: string;
    unsub?: string;
    req?: string;
  };
  const topic = sub ?? unsub ?? req;
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
  const channel = kind[0] === "mbp" ? "book" : "trades";
  if (req !== undefined) {
    return [
      {
        kind: "snapshot",
        symbol,
        frame: ({ lastUpdateId, bids, asks }) =>
          pack(
            `{"id":"${id}","rep":"${req}","status":"ok","data":{"seqNum":${lastUpdateId},` +
              `"bids":${numbers(bids)},"asks":${numbers(asks)}}}`,
          ),
      },
    ];
  }
  if (unsub !== undefined) {
    return [answer({ status: "ok", unsubbed: topic }), { kind: "unsubscribe", channel, symbol }];
  }
  return [answer({ status: "ok", subbed: topic }), { kind: "subscribe", channel, symbol }];
}
