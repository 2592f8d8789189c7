// What the messages of KuCoin's futures have in common.
import type { Channel } from "#core/instrument.ts";
import type { JsonText } from "#core/json-text.ts";
import type { Asked } from "../../../reading/subscription-answers.ts";

/** What is streamed under a path. Marks and funding come by one topic, told apart by subject. */
const CHANNELS: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["/contractMarket/execution", ["trades"]],
  ["/contractMarket/tickerV2", ["quotes"]],
  ["/contractMarket/level2", ["book"]],
  ["/contractMarket/snapshot", ["ticker"]],
  ["/contractMarket/limitCandle", ["candles"]],
  ["/contract/instrument", ["mark-price", "funding"]],
]);

const PATHS: ReadonlyMap<Channel, string> = new Map(
  [...CHANNELS].flatMap(([path, channels]) => channels.map((channel) => [channel, path] as const)),
);

/** Public topics that say in another way what is published already, or nothing of ours. */
export const NOT_PUBLISHED_BY_KUCOIN_FUTURES =
  /^\/(contractMarket\/(ticker|level2Depth\d+|level3\w*)|contract\/announcement)\b/;

const CANDLES = "candles";
const CANDLES_SUFFIX = "_1min";

/** What a topic names. */
type FuturesTopic = { readonly channels: readonly Channel[]; readonly venueSymbol: string };

/** The topic of one channel of one contract; undefined for a channel that is not streamed. */
export function futuresTopicOf(channel: Channel, venueSymbol: string): string | undefined {
  const path = PATHS.get(channel);
  const suffix = channel === CANDLES ? CANDLES_SUFFIX : "";
  return path === undefined ? undefined : `${path}:${venueSymbol}${suffix}`;
}

/** The channels and the contract that a topic names; undefined if it is none of ours. */
export function parseFuturesTopic(topic: JsonText | undefined): FuturesTopic | undefined {
  if (typeof topic !== "string") return undefined;
  const colon = topic.indexOf(":");
  const channels = CHANNELS.get(topic.slice(0, Math.max(colon, 0)));
  const name = topic.slice(colon + 1);
  if (channels === undefined || name === "") return undefined;
  if (!channels.includes(CANDLES)) return { channels, venueSymbol: name };
  if (!name.endsWith(CANDLES_SUFFIX)) return undefined;
  return { channels, venueSymbol: name.slice(0, -CANDLES_SUFFIX.length) };
}

/** What a topic asks for. */
export function askedByFutures(topic: JsonText | undefined): readonly Asked[] {
  const parsed = parseFuturesTopic(topic);
  return parsed === undefined ? [] : [parsed];
}
