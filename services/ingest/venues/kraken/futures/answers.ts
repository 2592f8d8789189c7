// https://docs.kraken.com/exchange/api-reference/futures-websocket
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../../reading/emit.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { PendingRequests } from "../../../reading/pending-requests.ts";
import { emitRefused, emitSubscribed } from "../../../reading/subscription-answers.ts";
import { streamSymbolOf } from "./instruments.ts";
import { channelsOfFeed } from "./requests.ts";

/** An alert tells of what is so already; what else it says is not documented. */
export const KRAKEN_FUTURES_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed|not subscribed/i },
  tooFast: { words: /too many|rate limit/i },
  passing: { words: /unavailable|maintenance|try again|internal/i },
  final: { words: /invalid|unknown|not (?:found|supported|exist)|bad /i },
};

type Pending = { readonly feed: string; readonly product: string };

/** What was asked for on one connection, and what the venue says to it. */
export class KrakenFuturesAnswers {
  /** In the order in which they were sent: a refusal does not say what it is about. */
  readonly #pending = new PendingRequests<Pending>();

  /** Notes a request of ours. */
  sent(request: TextRecord | undefined): void {
    const feed = asText(request?.["feed"]);
    if (request?.["event"] !== "subscribe" || feed === undefined) return;
    for (const product of asJsonArray(request["product_ids"]) ?? []) {
      const asked = { feed, product: asText(product) ?? "" };
      // Of one that is asked for again, the answer to the request before was lost.
      this.#pending.takeOldest((each) => each.feed === feed && each.product === asked.product);
      this.#pending.note(asked);
    }
  }

  /** Reads an answer, or another message that is no data. */
  read(message: TextRecord, emit: Emit): void {
    const feed = asText(message["feed"]) ?? "";
    switch (asText(message["event"]) ?? "") {
      case "subscribed":
        return this.#subscribed(feed, asJsonArray(message["product_ids"]) ?? [], emit);
      case "info":
      case "unsubscribed":
      case "pong":
        return heartbeat(emit);
      case "alert": {
        // It is there already, and stays.
        if (/already subscribed/i.test(asText(message["message"]) ?? "")) {
          const { feed = "", product = "" } = this.#pending.takeOldest() ?? {};
          const channels = channelsOfFeed(feed);
          return emitSubscribed([{ venueSymbol: product, channels }], emit);
        }
        // What was to end had ended already.
        if (/not subscribed/i.test(asText(message["message"]) ?? "")) return heartbeat(emit);
        return this.#refused(asText(message["message"]) ?? "refused", emit);
      }
      case "error":
      case "subscribed_failed":
      case "unsubscribed_failed":
        return this.#refused(asText(message["message"]) ?? "refused", emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  #subscribed(feed: string, products: readonly JsonText[], emit: Emit): void {
    const channels = channelsOfFeed(feed);
    const asked = products
      .map(asText)
      .filter((product) => product !== undefined)
      .map((product) => ({ venueSymbol: streamSymbolOf(product), channels }));
    for (const { venueSymbol } of asked) {
      this.#pending.takeOldest((each) => each.feed === feed && each.product === venueSymbol);
    }
    emitSubscribed(asked, emit);
  }

  /** Answers come in the order of the requests, so a refusal is about the oldest without one. */
  #refused(reason: string, emit: Emit): void {
    const pending = this.#pending.takeOldest();
    const { feed = "", product: venueSymbol = "" } = pending ?? {};
    emitRefused([{ venueSymbol, channels: channelsOfFeed(feed) }], reason, emit);
  }
}
