import type { LevelText, MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, Frame, ScriptedRequest } from "../dialect.ts";
import { crc32Of, ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 1;
const SIZE_SCALE = 4;
const PATH = "/ws/v5/business";
const BOOK = "sprd-books-l2-tbt";
const TRADES = "sprd-public-trades";
const CHANNELS: ReadonlySet<string> = new Set([BOOK, TRADES, "sprd-bbo-tbt", "sprd-tickers"]);
const CHECKSUM_LEVELS = 25;

/** Of 19 digits, where doubles are 256 apart. */
const FIRST_NUMBER = 1_724_294_007_352_168_320n;

type Argument = { readonly channel: string; readonly sprdId: string };

/** https://www.okx.com/docs-v5/en/#spread-trading, of spot and perpetual; prices go through zero. */
export const okxSpreads: Dialect = {
  webSocketPath: "/ws/v5",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  priceMiddle: 3,
  refusesByName: true,
  venueSymbol: ({ base, quote }) => `${base}-${quote}_${base}-${quote}-SWAP`,
  symbol: ({ base, quote }) => `${base}-${quote}_${base}-${quote}-PERP`,
  read(frame, { connection, markets, refused }) {
    if (frame === "ping") return [{ kind: "answer", frame: "pong" }];
    const { id, op, args } = JSON.parse(frame) as {
      id?: string;
      op: "subscribe" | "unsubscribe";
      args: readonly Argument[];
    };
    return args.flatMap(({ channel, sprdId }): ScriptedRequest[] => {
      const isServed = connection.path === PATH && CHANNELS.has(channel);
      if (!isServed || !markets.has(sprdId) || refused.has(sprdId)) {
        const msg = `Invalid request: ${frame}`;
        const refusal = { id, event: "error", code: "60012", msg, connId: "a4d3ae55" };
        return [{ kind: "answer", frame: JSON.stringify(refusal) }];
      }
      const answer = { id, event: op, arg: { channel, sprdId }, connId: "a4d3ae55" };
      const requests: ScriptedRequest[] = [{ kind: "answer", frame: JSON.stringify(answer) }];
      if (channel === BOOK) requests.push({ kind: op, channel: "book", symbol: sprdId });
      if (channel === TRADES) requests.push({ kind: op, channel: "trades", symbol: sprdId });
      return requests;
    });
  },
  snapshotFrames: (symbol, book, timeUs) => {
    const numbers = { seqId: numberOf(book.lastUpdateId), prevSeqId: "-1" };
    return [bookFrame("snapshot", symbol, book, { ...numbers, after: book }, timeUs)];
  },
  deltaFrames: (symbol, delta, after, timeUs) => {
    const previous = numberOf(delta.firstUpdateId - 1);
    const numbers = { seqId: numberOf(delta.lastUpdateId), prevSeqId: previous };
    return [bookFrame("update", symbol, delta, { ...numbers, after }, timeUs)];
  },
  tradeFrames: (symbol, trade, timeUs) => {
    const item = tradeItem(symbol, trade, timeUs);
    return [JSON.stringify({ arg: { channel: TRADES, sprdId: symbol }, data: [item] })];
  },
  withWrongChecksum: (frames) =>
    frames.map((frame) => String(frame).replace(/"checksum":-?\d+/, '"checksum":12345')),
  heartbeatFrame: () => "pong",
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/api/v5/public/time") {
      return { code: "0", msg: "", data: [{ ts: String(ms(timeUs)) }] };
    }
    if (url.pathname === "/api/v5/sprd/public-trades") {
      const sprdId = url.searchParams.get("sprdId") ?? "";
      const data = trades(sprdId).map((trade) => tradeItem(sprdId, trade, trade.timeUs));
      return { code: "0", msg: "", data: data.toReversed() };
    }
    if (url.pathname !== "/api/v5/sprd/spreads") return undefined;
    const data = [...markets].map(([sprdId, { base, quote }]) => ({
      sprdId,
      sprdType: "linear",
      state: "live",
      baseCcy: base,
      szCcy: base,
      quoteCcy: quote,
      tickSz: unitOf(PRICE_SCALE),
      minSz: unitOf(SIZE_SCALE),
      lotSz: unitOf(SIZE_SCALE),
      expTime: "",
      legs: sprdId.split("_").map((instId, index) => ({ instId, side: index ? "buy" : "sell" })),
    }));
    return { code: "0", msg: "", data };
  },
  isSnapshotPath: () => false,
};

function numberOf(updateId: number): string {
  return String(FIRST_NUMBER + BigInt(updateId));
}

/** The same on the connection and by REST, newest first there. */
function tradeItem(sprdId: string, trade: ScriptedTrade, timeUs: number): object {
  return {
    sprdId,
    tradeId: `24992063291606${String(trade.tradeId).padStart(5, "0")}`,
    px: trade.price,
    sz: trade.size,
    side: trade.aggressorSide === "buyer" ? "buy" : "sell",
    ts: String(ms(timeUs)),
  };
}

/** Without zeros that say nothing. */
function plain(text: string): string {
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}

/** A signed CRC-32 over the best levels of both sides in turns. */
function checksumOf({ bids, asks }: MarketBook): number {
  const texts: string[] = [];
  for (let level = 0; level < CHECKSUM_LEVELS; level++) {
    for (const [price, size] of [bids[level], asks[level]].filter((each) => each !== undefined)) {
      texts.push(plain(price), plain(size));
    }
  }
  return crc32Of(texts.join(":")) | 0;
}

/** The numbers are bare and have too many digits for JSON.stringify. */
function bookFrame(
  action: "snapshot" | "update",
  symbol: string,
  { bids, asks }: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  numbers: { readonly seqId: string; readonly prevSeqId: string; readonly after: MarketBook },
  timeUs: number,
): Frame {
  const levels = (texts: readonly LevelText[]): string =>
    JSON.stringify(texts.map(([price, size]) => [plain(price), plain(size), "1"]));
  return (
    `{"arg":{"channel":"${BOOK}","sprdId":"${symbol}"},"action":"${action}","data":[{` +
    `"asks":${levels(asks)},"bids":${levels(bids)},"ts":"${ms(timeUs)}",` +
    `"checksum":${checksumOf(numbers.after)},"prevSeqId":${numbers.prevSeqId},` +
    `"seqId":${numbers.seqId}}]}`
  );
}
