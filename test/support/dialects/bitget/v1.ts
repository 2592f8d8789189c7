import type { MarketBook } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { crc32Of, ms } from "../texts.ts";

const CHANNELS: Readonly<Record<string, "book" | "trades">> = { books: "book", trade: "trades" };

type Request = {
  readonly op: string;
  readonly args: readonly {
    readonly instType: string;
    readonly channel: string;
    readonly instId: string;
  }[];
};

/** https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi */
export const bitgetV1: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: 2,
  sizeScale: 4,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused }) {
    if (frame === "ping") return [{ kind: "answer", frame: "pong" }];
    const { op, args } = JSON.parse(frame) as Request;
    const kind = op === "unsubscribe" ? "unsubscribe" : "subscribe";
    return args.flatMap((arg): readonly ScriptedRequest[] => {
      const { channel: name, instId: symbol } = arg;
      const known = { ...arg, instType: arg.instType.toLowerCase() };
      if (!markets.has(symbol) || refused.has(symbol)) {
        const msg = `instType:${known.instType},channel:${name},instId:${symbol} doesn't exist`;
        const error = JSON.stringify({ event: "error", code: 30001, msg });
        return [{ kind: "answer", frame: error }];
      }
      const channel = CHANNELS[name];
      const answer = JSON.stringify({ event: op, arg: known });
      const request = channel === undefined ? [] : [{ kind, channel, symbol } as const];
      return [{ kind: "answer", frame: answer }, ...request];
    });
  },
  snapshotFrames: (symbol, book, timeUs) => [bookFrame("snapshot", symbol, book, book, timeUs)],
  deltaFrames: (symbol, delta, after, timeUs) => [
    bookFrame("update", symbol, delta, after, timeUs),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    JSON.stringify({
      action: "update",
      arg: { instType: "sp", channel: "trade", instId: symbol },
      data: [
        [
          String(ms(timeUs)),
          trade.price,
          trade.size,
          trade.aggressorSide === "buyer" ? "buy" : "sell",
        ],
      ],
    }),
  ],
  withWrongChecksum: (frames) =>
    frames.map((frame) =>
      String(frame).replace(
        /"checksum":(-?\d+)/,
        (_, checksum) => `"checksum":${(Number(checksum) + 1) | 0}`,
      ),
    ),
  rest({ url }, markets) {
    if (url.pathname === "/api/mix/v1/market/contracts") return { code: "00000", data: [] };
    if (url.pathname !== "/api/spot/v1/public/products") return undefined;
    const data = [...markets].map(([symbolName, { base, quote }]) => ({
      symbol: `${symbolName}_SPBL`,
      symbolName,
      baseCoin: base,
      quoteCoin: quote,
      priceScale: "2",
      quantityScale: "4",
      status: "online",
    }));
    return { code: "00000", msg: "success", requestTime: 1_700_000_000_000, data };
  },
  isSnapshotPath: () => false,
};

function bookFrame(
  action: "snapshot" | "update",
  symbol: string,
  changes: Pick<MarketBook, "bids" | "asks">,
  after: MarketBook,
  timeUs: number,
): string {
  const arg = { instType: "sp", channel: "books", instId: symbol };
  const { asks, bids } = changes;
  const data = [{ asks, bids, checksum: checksumOf(after), ts: String(ms(timeUs)) }];
  return JSON.stringify({ action, arg, data });
}

/** The best 25 levels in turn, `bid:size:ask:size`, as a signed integer. */
function checksumOf({ bids, asks }: MarketBook): number {
  const texts: string[] = [];
  for (let level = 0; level < 25; level++) {
    for (const side of [bids, asks]) texts.push(...(side[level] ?? []));
  }
  return crc32Of(texts.join(":")) | 0;
}
