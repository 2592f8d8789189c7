// What the messages of KuCoin have in common.
import type { Channel } from "#core/instrument.ts";
import { asJsonArray, type JsonText } from "#core/json-text.ts";
import type { Asked } from "../../reading/subscription-answers.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";

/** A channel that the venue has. */
export type KucoinChannel = "trades" | "quotes" | "book" | "ticker" | "candles";

const CHANNELS: ReadonlyMap<string, KucoinChannel> = new Map([
  ["/market/match", "trades"],
  ["/market/ticker", "quotes"],
  ["/market/level2", "book"],
  ["/market/snapshot", "ticker"],
  ["/market/candles", "candles"],
]);

const PATHS: ReadonlyMap<Channel, string> = new Map(
  Array.from(CHANNELS, ([path, channel]) => [channel, path]),
);

/** What a topic names. */
type KucoinTopic = {
  readonly channel: KucoinChannel;
  readonly venueSymbols: readonly string[];
};

const CANDLES_SUFFIX = "_1min";

/** The topic of one channel of one pair; undefined for a channel that the venue does not have. */
export function topicOf(channel: Channel, venueSymbol: string): string | undefined {
  const path = PATHS.get(channel);
  const suffix = channel === "candles" ? CANDLES_SUFFIX : "";
  return path === undefined ? undefined : `${path}:${venueSymbol}${suffix}`;
}

/** The channel and pairs that a topic names; undefined if it is none of ours. */
export function parseTopic(topic: JsonText | undefined): KucoinTopic | undefined {
  if (typeof topic !== "string") return undefined;
  const colon = topic.indexOf(":");
  const channel = CHANNELS.get(topic.slice(0, Math.max(colon, 0)));
  if (channel === undefined) return undefined;
  const names = topic.slice(colon + 1).split(",");
  if (channel !== "candles") return { channel, venueSymbols: names };
  if (!names.every((name) => name.endsWith(CANDLES_SUFFIX))) return undefined;
  return { channel, venueSymbols: names.map((name) => name.slice(0, -CANDLES_SUFFIX.length)) };
}

/** What a topic asks for. */
export function askedBy(topic: JsonText | undefined): readonly Asked[] {
  const { channel, venueSymbols } = parseTopic(topic) ?? {};
  if (channel === undefined) return [];
  return (venueSymbols ?? []).map((venueSymbol) => ({ venueSymbol, channels: [channel] }));
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
    const sequence = wholeNumber(row?.[2]);
    if (row === undefined || sequence === undefined) return undefined;
    if (decimalText(row[0]) === "0") continue;
    const before = levels.at(-1);
    isOrdered = isOrdered && (before === undefined || before.sequence <= sequence);
    levels.push({ row, sequence });
  }
  if (!isOrdered) levels.sort((a, b) => a.sequence - b.sequence);
  return levels.map(({ row }) => row);
}
