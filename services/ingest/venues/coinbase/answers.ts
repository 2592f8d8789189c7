// https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
import type { Channel } from "#core/instrument.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import { type Asked, emitRefused } from "../../reading/subscription-answers.ts";
import type { JsonRecord } from "../../reading/text-fields.ts";
import { COINBASE_CHANNELS } from "./requests.ts";

/** Words only: the venue has no codes. Both of its feeds say them alike. */
export const COINBASE_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { words: /rate limit|too many|ErrSlowRead/i },
  passing: { words: /ErrSlowConsume|network|internal|unavailable|try again/i },
  final: {
    words:
      /not a valid product|invalid|unsupported|unknown|authentication required|unauthori[sz]ed/i,
  },
};

/** What is subscribed on one connection: the venue repeats the whole list at every change. */
export class CoinbaseSubscriptions {
  readonly #channelsOf: ReadonlyMap<string, readonly Channel[]>;
  /** `name product` of the last list. */
  #subscribed: ReadonlySet<string> = new Set();

  /** `channelsOf` says what is published of a channel of the venue's. */
  constructor(channelsOf: ReadonlyMap<string, readonly Channel[]>) {
    this.#channelsOf = channelsOf;
  }

  /** Takes the names of channels with their products. What of them was not in the list before. */
  replace(listed: readonly (readonly [name: unknown, products: unknown])[]): readonly Asked[] {
    const subscribed = new Set<string>();
    const news: Asked[] = [];
    for (const [name, products] of listed) {
      if (typeof name !== "string" || !Array.isArray(products)) continue;
      for (const product of products as readonly unknown[]) {
        if (typeof product !== "string") continue;
        const key = `${name} ${product}`;
        subscribed.add(key);
        if (this.#subscribed.has(key)) continue;
        news.push({ venueSymbol: product, channels: this.#channelsOf.get(name) ?? [] });
      }
    }
    this.#subscribed = subscribed;
    return news;
  }

  /** True if the last list has this channel of the product. */
  has(name: string, product: string): boolean {
    return this.#subscribed.has(`${name} ${product}`);
  }
}

/** `{"message":"Failed to subscribe","reason":"ABC-USD is not a valid product"}` */
export function refuse(message: JsonRecord, emit: Emit): void {
  const reason = reasonOf(message);
  const venueSymbol = /([A-Z0-9]+-[A-Z0-9]+) is not a valid product/.exec(reason)?.[1];
  const channel: Channel | undefined = /\blevel2/.test(reason) ? "book" : undefined;
  if (venueSymbol === undefined || channel !== undefined) {
    emit({ kind: "refused", venueSymbol, channel, reason });
    return;
  }
  // The product is unknown, so nothing of it will come.
  emitRefused([{ venueSymbol, channels: COINBASE_CHANNELS }], reason, emit);
}

/** Why the venue refuses something, in its own words. */
export function reasonOf({ message, reason }: JsonRecord): string {
  return [message, reason].filter((text) => typeof text === "string").join(": ") || "refused";
}
