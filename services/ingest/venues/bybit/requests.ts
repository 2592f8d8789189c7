// https://bybit-exchange.github.io/docs/v5/ws/connect
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";

/** The parts of the venue, as the addresses of their connections name them. */
export const BYBIT_CATEGORIES = ["spot", "linear", "inverse", "option"] as const;

/** One of BYBIT_CATEGORIES; the `venueMarket` of an instrument. */
export type BybitCategory = (typeof BYBIT_CATEGORIES)[number];

/** Levels per side that can be asked for. One level is the best bid and offer, which are quotes. */
const BOOK_DEPTHS: readonly number[] = [50, 200, 1000];
const OPTION_BOOK_DEPTHS: readonly number[] = [25, 100];

/** What a topic is about. */
export type BybitTopic = {
  readonly name: "book" | "quotes" | "trades" | "tickers" | "candles" | "liquidations";
  /** An instrument, or the base asset for the trades of options. */
  readonly symbol: string;
  /** Levels of a book topic; 0 for others. */
  readonly depth: number;
};

/** The part of the venue that an address serves; undefined if it says none. */
export function categoryOfUrl(url: string): BybitCategory | undefined {
  const path = /\/v5\/public\/([a-z]+)/.exec(url)?.[1] ?? /[?&]category=([a-z]+)/.exec(url)?.[1];
  return BYBIT_CATEGORIES.find((category) => category === path);
}

/** The part of the venue that an instrument belongs to. */
export function categoryOf(instrument: Instrument): BybitCategory {
  const known = BYBIT_CATEGORIES.find((category) => category === instrument.venueMarket);
  if (known !== undefined) return known;
  if (instrument.kind === "spot" || instrument.kind === "option") return instrument.kind;
  return instrument.inverse ? "inverse" : "linear";
}

/** Reads a topic; undefined if it is none of those that are asked for. */
export function parseBybitTopic(topic: string): BybitTopic | undefined {
  const parts = topic.split(".");
  const symbol = parts.at(-1) ?? "";
  if (symbol === "") return undefined;
  switch (parts.slice(0, -1).join(".")) {
    case "publicTrade":
      return { name: "trades", symbol, depth: 0 };
    case "tickers":
      return { name: "tickers", symbol, depth: 0 };
    case "allLiquidation":
    // Until 2025: one liquidation in a second, with other names for its fields.
    case "liquidation":
      return { name: "liquidations", symbol, depth: 0 };
    case "orderbook.1":
      return { name: "quotes", symbol, depth: 0 };
    default: {
      // Only a minute is asked for; recordings of others have more.
      if (parts[0] === "kline" && parts.length === 3) return { name: "candles", symbol, depth: 0 };
      const depth = Number(/^\d{2,4}$/.exec(parts[1] ?? "")?.[0] ?? Number.NaN);
      if (parts[0] !== "orderbook" || parts.length !== 3 || !(depth > 1)) return undefined;
      return { name: "book", symbol, depth };
    }
  }
}

/** Public topics of which nothing is published; recordings of others have them. */
export const NOT_PUBLISHED_BY_BYBIT =
  /^(insurance|priceLimit|adlAlert|kline_lt|tickers_lt|lt|orderbook\.rpi|systemStatus)(\.|$)/;

/** What is published of a topic. */
export function channelsOfTopic(
  { name }: BybitTopic,
  category: BybitCategory | undefined,
): readonly Channel[] {
  if (name !== "tickers") return [name];
  switch (category) {
    case "linear":
    case "inverse":
      return ["ticker", "funding", "mark-price", "open-interest"];
    case "option":
      return ["ticker", "mark-price", "open-interest"];
    case "spot":
    case undefined:
      return ["ticker"];
  }
}

/** True if the venue has this channel for the instrument. */
function exists({ instrument, channel }: FeedSubscription): boolean {
  const category = categoryOf(instrument);
  switch (channel) {
    case "trades":
    case "book":
    case "ticker":
      return true;
    case "quotes":
    case "candles":
      return category !== "option";
    case "mark-price":
    case "open-interest":
      return category !== "spot";
    case "liquidations":
      return category === "linear" || category === "inverse";
    case "funding":
      return instrument.kind === "perpetual";
    case "status":
    case "listings":
      return false;
  }
}

/** Splits what is wanted over the addresses of the categories and over connections. */
export function planBybit(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const base = endpoints.webSocket.replace(/\/+$/, "");
  return BYBIT_CATEGORIES.flatMap((category) =>
    planByInstrument(
      subscriptions.filter((each) => exists(each) && categoryOf(each.instrument) === category),
      { url: `${base}/${category}`, subscriptionsMax },
    ),
  );
}

/**
 * One request for each instrument: the venue refuses a request whole if it does not know one of its
 * topics, or has it already. What not every instrument may have, and what several share, has a
 * request of its own. No topic is asked for twice.
 */
export function bybitRequests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const seen = new Set<string>();
  const byInstrument = new Map<Instrument, string[]>();
  const alone: (readonly string[])[] = [];
  for (const { instrument, channel } of subscriptions) {
    const topic = topicOf(instrument, channel, options.bookDepth);
    // Other options of the connection may still want the trades of their base asset.
    const isShared = channel === "trades" && instrument.kind === "option";
    if (topic === undefined || seen.has(topic) || (op === "unsubscribe" && isShared)) continue;
    seen.add(topic);
    const together = byInstrument.get(instrument);
    if (isShared || channel === "liquidations") alone.push([topic]);
    else if (together === undefined) byInstrument.set(instrument, [topic]);
    else together.push(topic);
  }
  return [...byInstrument.values(), ...alone].map((args, index) =>
    JSON.stringify({ req_id: String(options.requestId + index), op, args }),
  );
}

function topicOf(instrument: Instrument, channel: Channel, depth: number): string | undefined {
  const { venueSymbol, kind, base } = instrument;
  switch (channel) {
    case "trades":
      return `publicTrade.${kind === "option" ? base : venueSymbol}`;
    case "quotes":
      return `orderbook.1.${venueSymbol}`;
    case "book": {
      const depths = kind === "option" ? OPTION_BOOK_DEPTHS : BOOK_DEPTHS;
      return `orderbook.${depths.find((each) => each >= depth) ?? depths.at(-1)}.${venueSymbol}`;
    }
    case "ticker":
    case "funding":
    case "mark-price":
    case "open-interest":
      return `tickers.${venueSymbol}`;
    case "candles":
      return `kline.1.${venueSymbol}`;
    case "liquidations":
      return `allLiquidation.${venueSymbol}`;
    case "status":
    case "listings":
      return undefined;
  }
}
