// https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
import type { Channel, Instrument, InstrumentKind } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../feed/feed-adapter.ts";
import { planByInstrument } from "./event-values.ts";
import { okxIndexOf } from "./okx-instruments.ts";

/** What names one subscription of the venue. */
export type OkxArgument = {
  readonly channel: string;
  readonly instId?: string;
  readonly instType?: string;
};

type OkxChannel = { readonly name: string; readonly path: "/public" | "/business" };

/** The channel that is asked for, and the address that serves it. */
const OKX_CHANNELS: Readonly<Partial<Record<Channel, OkxChannel>>> = {
  trades: { name: "trades-all", path: "/business" },
  quotes: { name: "bbo-tbt", path: "/public" },
  book: { name: "books", path: "/public" },
  ticker: { name: "tickers", path: "/public" },
  candles: { name: "candle1m", path: "/business" },
  funding: { name: "funding-rate", path: "/public" },
  "mark-price": { name: "mark-price", path: "/public" },
  "open-interest": { name: "open-interest", path: "/public" },
  liquidations: { name: "liquidation-orders", path: "/public" },
};

/** What is published of a channel of the venue, including those that only recordings have. */
export const CHANNEL_OF_OKX: Readonly<Record<string, Channel>> = {
  trades: "trades",
  "trades-all": "trades",
  "bbo-tbt": "quotes",
  books: "book",
  books5: "book",
  "books-l2-tbt": "book",
  "books50-l2-tbt": "book",
  tickers: "ticker",
  candle1m: "candles",
  "funding-rate": "funding",
  "mark-price": "mark-price",
  "open-interest": "open-interest",
  "liquidation-orders": "liquidations",
};

/** The venue's word for a kind of instrument. */
export const OKX_TYPE_OF_KIND: Readonly<Record<InstrumentKind, string>> = {
  spot: "SPOT",
  perpetual: "SWAP",
  future: "FUTURES",
  option: "OPTION",
};

const KINDS_OF_ALL: readonly InstrumentKind[] = ["spot", "perpetual", "future", "option"];

/** The kinds of instrument that a channel exists for. */
function kindsOf(channel: Channel): readonly InstrumentKind[] {
  switch (channel) {
    case "funding":
      return ["perpetual"];
    case "mark-price":
    case "open-interest":
      return ["perpetual", "future", "option"];
    case "liquidations":
      // Those of options say neither price nor size.
      return ["perpetual", "future"];
    case "trades":
    case "quotes":
    case "book":
    case "ticker":
    case "candles":
      return KINDS_OF_ALL;
    case "status":
      return [];
  }
}

/** Splits what is wanted over the two addresses and over connections. */
export function planOkx(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  return (["/public", "/business"] as const).flatMap((path) =>
    planByInstrument(
      subscriptions.filter(
        ({ instrument, channel }) =>
          OKX_CHANNELS[channel]?.path === path && kindsOf(channel).includes(instrument.kind),
      ),
      { url: endpoints.webSocket.replace(/\/+$/, "") + path, subscriptionsMax },
    ),
  );
}

/**
 * One request for each instrument: if the venue refuses a request as a whole for one unknown name,
 * nobody else is hit.
 */
export function okxRequests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const byInstrument = new Map<Instrument, OkxArgument[]>();
  for (const { instrument, channel } of subscriptions) {
    const together = byInstrument.get(instrument) ?? [];
    byInstrument.set(instrument, together);
    for (const argument of argumentsOf(op, instrument, channel)) together.push(argument);
  }
  return [...byInstrument.values()]
    .filter((args) => args.length > 0)
    .map((args, index) => JSON.stringify({ id: String(options.requestId + index), op, args }));
}

function argumentsOf(
  op: "subscribe" | "unsubscribe",
  instrument: Instrument,
  channel: Channel,
): readonly OkxArgument[] {
  const name = OKX_CHANNELS[channel]?.name;
  if (name === undefined) return [];
  if (channel === "liquidations") {
    // They come for a whole type of instruments: others of the connection may still want them.
    if (op === "unsubscribe") return [];
    return [{ channel: name, instType: OKX_TYPE_OF_KIND[instrument.kind] }];
  }
  const own = { channel: name, instId: instrument.venueSymbol };
  const index = okxIndexOf(instrument.venueSymbol);
  // Several instruments share an index, so it is never ended either.
  if (channel !== "mark-price" || op === "unsubscribe" || index === undefined) return [own];
  return [own, { channel: "index-tickers", instId: index }];
}
