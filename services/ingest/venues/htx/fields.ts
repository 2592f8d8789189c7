// What the messages of HTX have in common.
import { constants, gunzipSync } from "node:zlib";
import type { Channel } from "#core/instrument.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { compareIds } from "../../reading/trade-fields.ts";

/** What a topic names: `market.btcusdt.bbo` or `public.BTC-USDT.funding_rate`. */
export type HtxTopic = { readonly venueSymbol: string; readonly kind: string };

/** Bytes that one frame may unpack to: a book of 400 levels is under 50 kB. */
const FRAME_BYTES_MAX = 1024 * 1024;

const GZIP_MAGIC = 0x1f;
const NONE: readonly never[] = [];

/** Stands before what is left of a damaged frame: no JSON begins with it, however much is left. */
const DAMAGED = "\u0000";

/**
 * What a frame unpacks to, each of which is compressed by itself. What is left of a damaged one may
 * say what is lost, and is a text that is no JSON.
 */
export function unpackHtxFrame(frame: string | Uint8Array): string | Uint8Array {
  if (typeof frame === "string" || frame[0] !== GZIP_MAGIC) return frame;
  try {
    return gunzipSync(frame, { maxOutputLength: FRAME_BYTES_MAX });
  } catch {
    return DAMAGED + remainsOf(frame);
  }
}

function remainsOf(frame: Uint8Array): string {
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    const bytes = gunzipSync(frame, { maxOutputLength: FRAME_BYTES_MAX, finishFlush });
    return textOfFrame(bytes);
  } catch {
    // Nothing is left, which an empty text says.
    return "";
  }
}

/** What a topic names; undefined if it is none. */
export function parseTopic(topic: JsonText | undefined): HtxTopic | undefined {
  if (typeof topic !== "string") return undefined;
  const match = /^(?:market|public)\.([^.]+)\.(.+)$/.exec(topic);
  const [, venueSymbol, kind] = match ?? [];
  return venueSymbol === undefined || kind === undefined ? undefined : { venueSymbol, kind };
}

/** The candles of index prices, of which mark prices take the last. */
export const INDEX_KIND = "index.1min";

/** What can be done with contracts. */
export const STATES_KIND = "contract_info";

/** What is published of a kind of topic; undefined if nothing is. */
export function channelOfKind(kind: string): Channel | undefined {
  if (/^(?:mbp\.\d+|depth\.(?:step0|size_\d+\.high_freq))$/.test(kind)) return "book";
  return CHANNELS.get(kind);
}

const CHANNELS: ReadonlyMap<string, Channel> = new Map<string, Channel>([
  ["trade.detail", "trades"],
  ["bbo", "quotes"],
  ["detail", "ticker"],
  ["kline.1min", "candles"],
  ["mark_price.1min", "mark-price"],
  ["funding_rate", "funding"],
  ["liquidation_orders", "liquidations"],
]);

/** The levels of one side; a message without changes of a side may leave it out. */
export function levelsOf(side: JsonText | undefined): readonly unknown[] | undefined {
  return side === undefined || side === null ? NONE : asJsonArray(side);
}

/** The objects in a list; undefined if it is none. */
export function itemsOf(list: JsonText | undefined): readonly TextRecord[] | undefined {
  return asJsonArray(list)?.map((item) => asJsonObject(item) ?? {});
}

/**
 * Trades with the oldest first, since the venue lists the newest first. Within a millisecond the
 * short number of spot trades counts on; their long id ends with the maker's order, but that of
 * contracts with the place in the match.
 */
export function oldestFirst(trades: readonly TextRecord[]): readonly TextRecord[] {
  return trades.toSorted(byTime);
}

function byTime(a: TextRecord, b: TextRecord): number {
  const order = compareIds(asText(a["ts"]) ?? "", asText(b["ts"]) ?? "");
  return order || compareIds(numberOfTrade(a), numberOfTrade(b));
}

function numberOfTrade(trade: TextRecord): string {
  return asText(trade["tradeId"] ?? trade["trade-id"] ?? trade["id"]) ?? "";
}
