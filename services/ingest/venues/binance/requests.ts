import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  BookSequencing,
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
  RawBook,
  RestPoll,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { BinanceDecoder } from "./decoder.ts";
import { isObject, parseJson, timeUs } from "./fields.ts";
import type { BinanceRestAddress, BinanceRestKind } from "./rest.ts";
import { type BinanceMarket, deriveBinanceInstrument, parseExchangeInfo } from "./instruments.ts";
import { type RecordedAddress, recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** Everything in which the venues of the family differ. */
export type BinanceVenue = {
  readonly venue: string;
  readonly title: string;
  readonly documentation: readonly string[];
  readonly notes: FeedAdapter["notes"];
  readonly market: BinanceMarket;
  readonly endpoints: FeedEndpoints;
  readonly limits: FeedLimits;
  readonly sequencing: BookSequencing;
  readonly depthTimeField: "E" | "T";
  /** The stream of each channel after `symbol@`, and the path of the connection that carries it. */
  readonly streams: readonly BinanceStream[];
  readonly instruments: { readonly path: string; readonly weight: number };
  readonly depth: { readonly path: string; readonly limit: number; readonly weight: number };
  /** The latest trades. */
  readonly trades: { readonly path: string; readonly limit: number; readonly weight: number };
  /** The venue's clock. */
  readonly timePath: string;
  /** Where open interest can be asked for. */
  readonly openInterestPath?: string;
};

export type BinanceStream = {
  readonly channel: Channel;
  readonly name: string;
  readonly path: string;
};

/**
 * Streams named in one SUBSCRIBE. Requests stay below 4 KB, which every Binance server has always
 * taken.
 */
export const STREAMS_PER_FRAME_MAX = 100;

/** True if the update is one of those that the message covers. */
export function isWithin(updateId: number, delta: RawBook): boolean {
  const { firstUpdateId, lastUpdateId } = delta;
  if (firstUpdateId === undefined || lastUpdateId === undefined) return false;
  return firstUpdateId <= updateId && updateId <= lastUpdateId;
}

/** How book updates follow each other at both futures venues. */
export const FUTURES_SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) < snapshotUpdateId,
  bridges: (delta, snapshotUpdateId) =>
    isWithin(snapshotUpdateId, delta) || delta.previousUpdateId === snapshotUpdateId,
  // Ids are shared by all symbols, so U is not the last u + 1.
  follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
};

/** The adapter of one venue of the family. */
export function createBinanceAdapter(venue: BinanceVenue): FeedAdapter {
  const identity = { venue: venue.venue, market: venue.market };
  const dialect = {
    depthTimeField: venue.depthTimeField,
    countsQuote: venue.market !== "coinm",
    channelsOfStream: (stream: string): readonly Channel[] => channelsOfStream(venue, stream),
    restAddress: (url: string): BinanceRestAddress | undefined => restAddress(venue, url),
  };
  return {
    venue: venue.venue,
    title: venue.title,
    documentation: venue.documentation,
    channels: [
      ...venue.streams.map((stream) => stream.channel),
      ...(venue.openInterestPath === undefined ? [] : (["open-interest"] as const)),
    ],
    notes: venue.notes,
    bookProof: {
      order: "sequence",
      content: "none",
      note: "Every update continues the number of the one before; a wrong number is not noticed.",
    },
    endpoints: venue.endpoints,
    limits: venue.limits,
    bookSync: { snapshot: "rest", sequencing: venue.sequencing },
    instrumentsRequests: (endpoints) => [
      {
        url: joinUrl(endpoints.rest, venue.instruments.path),
        weight: venue.instruments.weight,
      },
    ],
    recordedRequest: recordedRequestOf(addressesOf(venue)),
    parseInstruments: (body) => parseExchangeInfo(body, identity),
    deriveInstrument: (venueSymbol) => deriveBinanceInstrument(venueSymbol, identity),
    planConnections: (subscriptions, endpoints) => plan(venue, subscriptions, endpoints),
    subscribeFrames: (wanted, options) => frames(venue, "SUBSCRIBE", wanted, options),
    unsubscribeFrames: (wanted, options) => frames(venue, "UNSUBSCRIBE", wanted, options),
    snapshotRequest: (instrument, endpoints) => requestOf(venue.depth, instrument, endpoints),
    ...(venue.openInterestPath === undefined
      ? {}
      : { polls: [openInterestPoll(venue.openInterestPath)] }),
    tradesRequest: (instrument, { endpoints }) => requestOf(venue.trades, instrument, endpoints),
    serverTimeRequest: (endpoints) => ({
      url: joinUrl(endpoints.rest, venue.timePath),
      weight: 1,
    }),
    parseServerTimeUs: parseServerTime,
    createDecoder: (context) => new BinanceDecoder(dialect, context),
  };
}

function addressesOf(venue: BinanceVenue): readonly RecordedAddress[] {
  const { instruments, depth, trades, openInterestPath } = venue;
  const symbolIn = "symbol";
  return [
    { kind: "instruments", path: endingIn(instruments.path) },
    { kind: "book-snapshot", path: endingIn(depth.path), symbolIn },
    { kind: "trades", path: endingIn(trades.path), symbolIn },
    ...(openInterestPath === undefined
      ? []
      : [
          {
            kind: "poll",
            channel: "open-interest",
            path: endingIn(openInterestPath),
            symbolIn,
          } as const,
        ]),
  ];
}

function endingIn(path: string): RegExp {
  return new RegExp(`${path}$`);
}

function requestOf(
  {
    path,
    limit,
    weight,
  }: { readonly path: string; readonly limit: number; readonly weight: number },
  instrument: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const symbol = encodeURIComponent(instrument.venueSymbol);
  return { url: `${joinUrl(endpoints.rest, path)}?symbol=${symbol}&limit=${limit}`, weight };
}

/** One request an instrument, so once a minute is what a venue of 600 contracts can bear. */
function openInterestPoll(path: string): RestPoll {
  return {
    channel: "open-interest",
    intervalMs: 60_000,
    requests: (instruments, endpoints) =>
      instruments.map((instrument) => {
        const symbol = encodeURIComponent(instrument.venueSymbol);
        return { url: `${joinUrl(endpoints.rest, path)}?symbol=${symbol}`, weight: 1, instrument };
      }),
  };
}

function parseServerTime(body: string): number | undefined {
  const message = parseJson(body);
  const serverTime = isObject(message) ? (message as { serverTime?: unknown }).serverTime : 0;
  const serverTimeUs = timeUs(serverTime);
  return Number.isNaN(serverTimeUs) ? undefined : serverTimeUs;
}

function restAddress(venue: BinanceVenue, url: string): BinanceRestAddress | undefined {
  const paths: readonly (readonly [BinanceRestKind, string | undefined])[] = [
    ["depth", venue.depth.path],
    ["trades", venue.trades.path],
    ["open-interest", venue.openInterestPath],
  ];
  for (const [kind, path] of paths) {
    const venueSymbol = path === undefined ? undefined : symbolOfUrl(url, path);
    if (venueSymbol !== undefined) return { kind, venueSymbol };
  }
  return undefined;
}

/**
 * An instrument's channels of one path stay on one connection: two channels may share a stream
 * (mark price and funding), and on two connections both would come twice.
 */
function plan(
  venue: BinanceVenue,
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  const plans: ConnectionPlan[] = [];
  const max = venue.limits.subscriptionsPerConnectionMax;
  for (const path of new Set(venue.streams.map((stream) => stream.path))) {
    const url = joinUrl(endpoints.webSocket, path);
    let current: FeedSubscription[] = [];
    for (const group of groupByInstrument(venue, path, subscriptions).values()) {
      if (current.length > 0 && current.length + group.length > max) {
        plans.push({ url, subscriptions: current });
        current = [];
      }
      current = current.concat(group);
    }
    if (current.length > 0) plans.push({ url, subscriptions: current });
  }
  return plans;
}

function groupByInstrument(
  venue: BinanceVenue,
  path: string,
  subscriptions: readonly FeedSubscription[],
): Map<Instrument, FeedSubscription[]> {
  const channels = new Set(
    venue.streams.filter((stream) => stream.path === path).map((stream) => stream.channel),
  );
  const groups = new Map<Instrument, FeedSubscription[]>();
  for (const subscription of subscriptions) {
    if (!channels.has(subscription.channel)) continue;
    // A dated future settles once and has no funding; its silence would be taken for a fault.
    if (subscription.channel === "funding" && subscription.instrument.kind === "future") continue;
    const group = groups.get(subscription.instrument);
    if (group === undefined) groups.set(subscription.instrument, [subscription]);
    else group.push(subscription);
  }
  return groups;
}

function frames(
  venue: BinanceVenue,
  method: "SUBSCRIBE" | "UNSUBSCRIBE",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const names = new Map(venue.streams.map((stream) => [stream.channel, stream.name]));
  const streams = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const name = names.get(channel);
    if (name !== undefined) streams.add(`${instrument.venueSymbol.toLowerCase()}@${name}`);
  }
  const all = [...streams];
  const requests: string[] = [];
  for (let start = 0; start < all.length; start += STREAMS_PER_FRAME_MAX) {
    const params = all.slice(start, start + STREAMS_PER_FRAME_MAX);
    requests.push(JSON.stringify({ method, params, id: options.requestId + requests.length }));
  }
  return requests;
}

function channelsOfStream(venue: BinanceVenue, stream: string): readonly Channel[] {
  const name = stream.slice(stream.indexOf("@") + 1);
  return venue.streams.filter((known) => known.name === name).map((known) => known.channel);
}

function symbolOfUrl(url: string, path: string): string | undefined {
  if (!pathOf(url).endsWith(path)) return undefined;
  const query = url.slice(url.indexOf("?") + 1);
  return new URLSearchParams(query).get("symbol") ?? undefined;
}

function pathOf(url: string): string {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}

function joinUrl(base: string, path: string): string {
  return base.replace(/\/+$/, "") + path;
}
