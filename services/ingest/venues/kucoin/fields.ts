// What the messages and addresses of KuCoin have in common.
import { canonicalDecimal } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import { BAD_TIME } from "../../reading/venue-time.ts";

/** A JSON object with every number as its text. */
export type Json = { readonly [key: string]: JsonText };

const TOPICS = {
  trades: "/market/match",
  quotes: "/market/ticker",
  book: "/market/level2",
  ticker: "/market/snapshot",
  candles: "/market/candles",
} as const satisfies Partial<Record<Channel, string>>;

/** A channel that the venue has. */
type TopicChannel = keyof typeof TOPICS;

/** What a topic names. */
export type Topic = { readonly channel: TopicChannel; readonly venueSymbols: readonly string[] };

const CANDLES_SUFFIX = "_1min";

/** The topic of one channel of one pair; undefined for a channel that the venue does not have. */
export function topicOf(channel: Channel, venueSymbol: string): string | undefined {
  if (!Object.hasOwn(TOPICS, channel)) return undefined;
  const suffix = channel === "candles" ? CANDLES_SUFFIX : "";
  return `${TOPICS[channel as TopicChannel]}:${venueSymbol}${suffix}`;
}

/** The channel and pairs that a topic names; undefined if it is none of ours. */
export function parseTopic(topic: JsonText | undefined): Topic | undefined {
  if (typeof topic !== "string") return undefined;
  const colon = topic.indexOf(":");
  const path = topic.slice(0, Math.max(colon, 0));
  const channel = (Object.keys(TOPICS) as TopicChannel[]).find((each) => TOPICS[each] === path);
  if (channel === undefined) return undefined;
  const names = topic.slice(colon + 1).split(",");
  if (channel !== "candles") return { channel, venueSymbols: names };
  if (!names.every((name) => name.endsWith(CANDLES_SUFFIX))) return undefined;
  return { channel, venueSymbols: names.map((name) => name.slice(0, -CANDLES_SUFFIX.length)) };
}

/**
 * Microseconds since 1970 out of milliseconds (13 digits) or nanoseconds (19 digits). Undefined
 * where there is no time, BAD_TIME if it is none.
 */
export function kucoinTimeUs(value: JsonText | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === "0") return undefined;
  if (typeof value !== "string" || !/^[1-9]\d+$/.test(value)) return BAD_TIME;
  if (value.length === 13) return Number(value) * 1000;
  return value.length === 19 ? Number(value.slice(0, -3)) : BAD_TIME;
}

/** A number of the book's sequence; undefined if it is none, or too large to be counted on. */
export function sequenceOf(value: JsonText | undefined): number | undefined {
  if (typeof value !== "string" || !/^\d{1,16}$/.test(value)) return undefined;
  const sequence = Number(value);
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}

/** Canonical plain text of a decimal; undefined if it is none. */
export function decimalText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

/**
 * The rows of one side of a change in the order of their numbers, without those of price 0, which
 * only move the number on. Undefined if they are not rows of price, size and number.
 */
export function changedLevels(
  side: JsonText | undefined,
): readonly (readonly JsonText[])[] | undefined {
  const rows = asJsonArray(side);
  if (rows === undefined) return undefined;
  const levels: { readonly row: readonly JsonText[]; readonly sequence: number }[] = [];
  let isOrdered = true;
  for (const each of rows) {
    const row = asJsonArray(each);
    const sequence = sequenceOf(row?.[2]);
    if (row === undefined || sequence === undefined) return undefined;
    if (decimalText(row[0]) === "0") continue;
    const before = levels.at(-1);
    isOrdered = isOrdered && (before === undefined || before.sequence <= sequence);
    levels.push({ row, sequence });
  }
  if (!isOrdered) levels.sort((a, b) => a.sequence - b.sequence);
  return levels.map(({ row }) => row);
}

/** The pair that the address of a book snapshot names. */
export function symbolOfSnapshotUrl(url: string): string | undefined {
  return symbolOf(url, /\/api\/v\d\/market\/orderbook\/level2(?:_20|_100)?$/);
}

/** The pair that the address of recent trades names. */
export function symbolOfTradesUrl(url: string): string | undefined {
  return symbolOf(url, /\/api\/v1\/market\/histories$/);
}

/** The text of a field. */
export function textAt(object: Json, key: string): string | undefined {
  return asText(object[key]);
}

function symbolOf(url: string, path: RegExp): string | undefined {
  const cut = url.indexOf("?");
  if (cut < 0 || !path.test(url.slice(0, cut))) return undefined;
  return new URLSearchParams(url.slice(cut + 1)).get("symbol") ?? undefined;
}
