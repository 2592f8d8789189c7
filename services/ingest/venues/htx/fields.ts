// What the messages and addresses of HTX have in common.
import { constants, gunzipSync } from "node:zlib";
import { canonicalDecimal } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import type { JsonText } from "#core/json-text.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { BAD_TIME } from "../../reading/venue-time.ts";

/** A JSON object with every number as its text. */
export type Json = { readonly [key: string]: JsonText };

/** What a topic names: `market.btcusdt.bbo` or `public.BTC-USDT.funding_rate`. */
export type Topic = { readonly venueSymbol: string; readonly kind: string };

/** Bytes that one frame may unpack to: a book of 400 levels is under 50 kB. */
export const HTX_FRAME_BYTES_MAX = 4 * 1024 * 1024;

const GZIP_MAGIC = 0x1f;
const NONE: readonly never[] = [];

/** A frame's text, and whether it is whole: what is left of damaged ones may say what is lost. */
export function unpack(frame: string | Uint8Array): {
  readonly text: string;
  readonly isWhole: boolean;
} {
  if (typeof frame === "string") return { text: frame, isWhole: true };
  if (frame[0] !== GZIP_MAGIC) return { text: textOfFrame(frame), isWhole: true };
  try {
    const bytes = gunzipSync(frame, { maxOutputLength: HTX_FRAME_BYTES_MAX });
    return { text: textOfFrame(bytes), isWhole: true };
  } catch {
    return { text: remainsOf(frame), isWhole: false };
  }
}

function remainsOf(frame: Uint8Array): string {
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    const bytes = gunzipSync(frame, { maxOutputLength: HTX_FRAME_BYTES_MAX, finishFlush });
    return textOfFrame(bytes);
  } catch {
    // Nothing is left, which an empty text says.
    return "";
  }
}

/** What a topic names; undefined if it is none. */
export function parseTopic(topic: JsonText | undefined): Topic | undefined {
  if (typeof topic !== "string") return undefined;
  const match = /^(?:market|public)\.([^.]+)\.(.+)$/.exec(topic);
  const [, venueSymbol, kind] = match ?? [];
  return venueSymbol === undefined || kind === undefined ? undefined : { venueSymbol, kind };
}

/** The candles of index prices, of which mark prices take the last. */
export const INDEX_KIND = "index.1min";

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

/** Microseconds out of the milliseconds that the venue writes everywhere. */
export function htxTimeUs(value: JsonText | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === "0") return undefined;
  if (typeof value !== "string" || !/^[1-9]\d{12}$/.test(value)) return BAD_TIME;
  return Number(value) * 1000;
}

/** A number of the book's sequence. */
export function sequenceOf(value: JsonText | undefined): number | undefined {
  if (typeof value !== "string" || !/^\d{1,16}$/.test(value)) return undefined;
  const sequence = Number(value);
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}

/** Canonical plain text of a decimal; undefined if it is none. */
export function decimalText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

/** The levels of one side; a message without changes of a side may leave it out. */
export function levelsOf(side: JsonText | undefined): readonly unknown[] | undefined {
  if (side === undefined || side === null) return NONE;
  return Array.isArray(side) ? (side as readonly unknown[]) : undefined;
}

/** The symbol that an address of recent trades names. */
export function symbolOfTradesUrl(url: string): string | undefined {
  const cut = url.indexOf("?");
  if (cut < 0 || !url.slice(0, cut).endsWith("/market/history/trade")) return undefined;
  const parameters = new URLSearchParams(url.slice(cut + 1));
  return parameters.get("symbol") ?? parameters.get("contract_code") ?? undefined;
}

/** True for an address of the open interest. */
export function isInterestUrl(url: string): boolean {
  return /\/linear-swap-api\/v1\/swap_open_interest(?:\?|$)/.test(url);
}
