// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { Channel } from "#core/instrument.ts";
import { asJsonObject, asText, parseJsonText, type JsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { emitSubscribed } from "../../reading/subscription-answers.ts";

/** Both versions word their refusals alike; the venue's catalogue of errors has the first words. */
export const KRAKEN_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed|subscription not found|not subscribed/i },
  tooFast: { words: /rate limit|exceeded msg rate/i },
  passing: { words: /^EService:|^EGeneral:Internal|unavailable|busy|market in /i },
  final: { words: /not supported|^EGeneral:Invalid|invalid|malformed|unknown|permission/i },
};

/** What is published of each of the venue's channels. */
const CHANNELS_OF: ReadonlyMap<JsonText | undefined, readonly Channel[]> = new Map<
  JsonText | undefined,
  readonly Channel[]
>([
  ["book", ["book"]],
  ["trade", ["trades"]],
  ["ticker", ["quotes", "ticker"]],
  ["ohlc", ["candles"]],
]);

const NONE: readonly never[] = [];

/** What is published of a channel of the venue; nothing of one that is not known. */
export function channelsOfStream(stream: JsonText | undefined): readonly Channel[] {
  return CHANNELS_OF.get(stream) ?? NONE;
}

/** What a ticker was asked for: where there is a trigger, quotes come with one of the two only. */
export type KrakenTickers = "by-trigger" | "with-quotes";

/** What the venue says about subscriptions, on one connection. */
export class KrakenAnswers {
  readonly #tickers: KrakenTickers;
  /** What each request asks for, to know what a refusal is about. */
  readonly #requests = new PendingRequests<readonly Channel[]>();
  /** The depths of books, as acknowledgements said them. */
  readonly #depths = new Map<string, number>();

  constructor(tickers: KrakenTickers) {
    this.#tickers = tickers;
  }

  /** Takes note of what a request asks for. */
  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const requestId = asText(request?.["req_id"]);
    const params = asJsonObject(request?.["params"]);
    if (requestId === undefined || params === undefined) return;
    this.#requests.note(this.#channelsOf(params), requestId);
  }

  /** Levels per side that were acknowledged for a book; undefined if nothing was. */
  depthOf(venueSymbol: string): number | undefined {
    return this.#depths.get(venueSymbol);
  }

  /** Reads acknowledgements, pongs and errors. */
  read(message: TextRecord, emit: Emit): void {
    const { method, success } = message;
    const result = asJsonObject(message["result"]);
    if (method === "subscribe" && success === true && result !== undefined) {
      this.#acknowledged(result, emit);
    } else if (method === "subscribe" && success === false) {
      this.#refused(message, emit);
    } else if (method === "pong" || method === "unsubscribe") {
      heartbeat(emit);
    } else if (errorOf(message) !== undefined) {
      // A request that was not even read as one (`Malformed request`, `Exceeded msg rate`): which
      // subscriptions are missing shows by their silence, why only here.
      this.#refused(message, emit);
    } else {
      reject(emit, "unknown-message");
    }
  }

  #acknowledged(result: TextRecord, emit: Emit): void {
    const venueSymbol = asText(result["symbol"]);
    if (venueSymbol === undefined) return heartbeat(emit);
    const depth = Number(asText(result["depth"]) ?? Number.NaN);
    if (result["channel"] === "book" && depth > 0) this.#depths.set(venueSymbol, depth);
    emitSubscribed([{ venueSymbol, channels: this.#channelsOf(result) }], emit);
  }

  #refused(message: TextRecord, emit: Emit): void {
    const reason = errorOf(message) ?? "refused";
    const venueSymbol = asText(message["symbol"]);
    const channels = this.#requests.get(asText(message["req_id"]) ?? "") ?? NONE;
    if (channels.length === 0) emit({ kind: "refused", venueSymbol, channel: undefined, reason });
    for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason });
  }

  /** What is published of the channel that the parameters of a subscription name. */
  #channelsOf(params: TextRecord): readonly Channel[] {
    const stream = params["channel"];
    const hasQuotes = this.#tickers === "with-quotes" || params["event_trigger"] === "bbo";
    return stream === "ticker" && !hasQuotes ? ["ticker"] : channelsOfStream(stream);
  }
}

/** Errors outside the acknowledgements are said to be spelt with a capital letter. */
function errorOf(message: TextRecord): string | undefined {
  return asText(message["error"]) ?? asText(message["Error"]);
}
