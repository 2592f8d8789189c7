// https://docs.kraken.com/exchange/api-reference/futures-websocket
import type { Channel } from "#core/instrument.ts";
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import type { FeedEvent } from "../../../feed/feed-adapter.ts";

type Emit = (event: FeedEvent) => void;
type JsonObject = { readonly [key: string]: JsonText };

/** What is published of a feed. */
export const CHANNELS_OF_FEED: Readonly<Record<string, readonly Channel[]>> = {
  book: ["book"],
  trade: ["trades", "liquidations"],
  ticker: ["quotes", "ticker", "mark-price", "funding", "open-interest"],
};

/** The same of a name that may be none of a feed. */
export function channelsOfFeed(feed: string): readonly Channel[] {
  return Object.hasOwn(CHANNELS_OF_FEED, feed) ? (CHANNELS_OF_FEED[feed] ?? []) : [];
}

/** Subscriptions without an answer; beyond it the oldest is forgotten. */
const PENDING_MAX = 1024;

type Pending = { readonly feed: string; readonly product: string };

/** What was asked for on one connection, and what the venue says to it. */
export class KrakenFuturesAnswers {
  /** In the order in which they were sent: a refusal does not say what it is about. */
  readonly #pending: Pending[] = [];

  /** Notes a request of ours. */
  sent(request: JsonObject | undefined): void {
    const feed = asText(request?.["feed"]);
    if (request?.["event"] !== "subscribe" || feed === undefined) return;
    for (const product of asJsonArray(request["product_ids"]) ?? []) {
      this.#pending.push({ feed, product: asText(product) ?? "" });
      if (this.#pending.length > PENDING_MAX) this.#pending.shift();
    }
  }

  /** Reads an answer, or another message that is no data. */
  read(message: JsonObject, emit: Emit): void {
    const feed = asText(message["feed"]) ?? "";
    switch (asText(message["event"]) ?? "") {
      case "subscribed":
        return this.#subscribed(feed, asJsonArray(message["product_ids"]) ?? [], emit);
      case "info":
      case "unsubscribed":
      case "pong":
        return emit({ kind: "heartbeat" });
      case "error":
      case "alert":
      case "subscribed_failed":
      case "unsubscribed_failed":
        return this.#refused(asText(message["message"]) ?? "refused", emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  #subscribed(feed: string, products: readonly JsonText[], emit: Emit): void {
    let news = false;
    for (const entry of products) {
      const product = asText(entry);
      if (product === undefined) continue;
      const index = this.#pending.findIndex(
        (each) => each.feed === feed && each.product === product,
      );
      if (index >= 0) this.#pending.splice(index, 1);
      for (const channel of channelsOfFeed(feed)) {
        news = true;
        emit({ kind: "subscribed", venueSymbol: product, channel });
      }
    }
    if (!news) emit({ kind: "heartbeat" });
  }

  /** Answers come in the order of the requests, so a refusal is about the oldest without one. */
  #refused(reason: string, emit: Emit): void {
    const pending = this.#pending.shift();
    const channels = channelsOfFeed(pending?.feed ?? "");
    if (pending === undefined || channels.length === 0) {
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const channel of channels) {
      emit({ kind: "refused", venueSymbol: pending.product, channel, reason });
    }
  }
}

function reject(emit: Emit, reason: "unknown-message"): void {
  emit({ kind: "rejected", reason });
}
