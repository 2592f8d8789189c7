import type { Channel } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { joinUrl } from "./rest.ts";

/** The stream of a channel after `symbol@`, and the path of the connection that carries it. */
export type BinanceStream = {
  readonly channel: Channel;
  readonly name: string;
  readonly path: string;
};

/**
 * Streams named in one SUBSCRIBE. Requests stay below 4 KB, which every Binance server has always
 * taken.
 */
const STREAMS_PER_FRAME_MAX = 100;

/**
 * An instrument's channels of one path stay on one connection: two channels may share a stream
 * (mark price and funding), and on two connections both would come twice.
 */
export function planBinance(
  streams: readonly BinanceStream[],
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const wanted = subscriptions.filter(exists);
  return [...new Set(streams.map(({ path }) => path))].flatMap((path) => {
    const channels = new Set(
      streams.filter((stream) => stream.path === path).map(({ channel }) => channel),
    );
    const ofPath = wanted.filter(({ channel }) => channels.has(channel));
    return planByInstrument(ofPath, { url: joinUrl(endpoints.webSocket, path), subscriptionsMax });
  });
}

/** A dated future settles once and has no funding; its silence would be taken for a fault. */
function exists({ instrument, channel }: FeedSubscription): boolean {
  return channel !== "funding" || instrument.kind !== "future";
}

export function binanceFrames(
  streams: readonly BinanceStream[],
  method: "SUBSCRIBE" | "UNSUBSCRIBE",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const names = new Map(streams.map(({ channel, name }) => [channel, name]));
  const wanted = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const name = names.get(channel);
    if (name !== undefined) wanted.add(`${instrument.venueSymbol.toLowerCase()}@${name}`);
  }
  return batchesOf(wanted, STREAMS_PER_FRAME_MAX).map((params, index) =>
    JSON.stringify({ method, params, id: requestId + index }),
  );
}

/** The states of all contracts, at an address that serves them; nothing where there are none. */
export function contractFrames(
  path: string | undefined,
  url: string,
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  if (path === undefined || !url.endsWith(path)) return [];
  return [JSON.stringify({ method: "SUBSCRIBE", params: ["!contractInfo"], id: requestId })];
}

/** The channels that a stream such as `btcusdt@markPrice@1s` carries. */
export function channelsOfStream(
  streams: readonly BinanceStream[],
  stream: string,
): readonly Channel[] {
  const name = stream.slice(stream.indexOf("@") + 1);
  return streams.filter((known) => known.name === name).map(({ channel }) => channel);
}
