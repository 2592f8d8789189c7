// https://bybit-exchange.github.io/docs/v5/ws/connect
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import {
  type Asked,
  emitRefused,
  emitSubscribed,
  refusalCode,
} from "../../reading/subscription-answers.ts";
import { isRecord, type JsonRecord, parseJson, textOf } from "../../reading/text-fields.ts";
import { type BybitCategory, channelsOfTopic, parseBybitTopic } from "./requests.ts";

/** https://bybit-exchange.github.io/docs/v5/error */
export const BYBIT_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { codes: ["10006", "10429"], words: /too many|rate limit/i },
  passing: { codes: ["10016", "10019", "10000"], words: /server error|timeout|try again/i },
  final: {
    codes: ["10404", "10009", "10001"],
    words: /handler not found|invalid (?:symbol|topic|params?)|not (?:support|exist)/i,
  },
};

/** What the venue says about subscriptions, on one connection. */
export class BybitAnswers {
  readonly #catalog: InstrumentCatalog;
  readonly #category: BybitCategory | undefined;
  /** The topics of each request, since answers name only the request. */
  readonly #requests = new PendingRequests<readonly string[]>();

  constructor(catalog: InstrumentCatalog, category: BybitCategory | undefined) {
    this.#catalog = catalog;
    this.#category = category;
  }

  /** Takes note of what a request asks for. */
  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || request["op"] !== "subscribe") return;
    const { req_id: requestId, args } = request;
    if (typeof requestId !== "string" || !Array.isArray(args)) return;
    this.#requests.note(textsOf(args), requestId);
  }

  /** Reads a message without a topic. */
  read(message: JsonRecord, emit: Emit): void {
    const { op, type, success } = message;
    const isPong = op === "pong" || op === "ping" || message["ret_msg"] === "pong";
    if (isPong || (op === "unsubscribe" && typeof success === "boolean")) {
      heartbeat(emit);
    } else if (type === "COMMAND_RESP" && isRecord(message["data"])) {
      this.#optionAnswer(message, message["data"], emit);
    } else if (success === true && op === "subscribe") {
      emitSubscribed(this.#read(this.#topicsOf(message)), emit);
    } else if (success === false) {
      this.#refused(message, emit);
    } else {
      reject(emit, "unknown-message");
    }
  }

  /** Options name the topics that were taken and those that were not. */
  #optionAnswer(message: JsonRecord, data: JsonRecord, emit: Emit): void {
    const failed = textsOf(data["failTopics"]);
    emitSubscribed(this.#read(textsOf(data["successTopics"])), emit);
    if (failed.length === 0) return;
    const reason = textOf(message["ret_msg"]) ?? "refused";
    emitRefused(this.#read(failed), { reason, code: codeOf(message) }, emit);
  }

  #topicsOf(message: JsonRecord): readonly string[] {
    return this.#requests.get(textOf(message["req_id"]) ?? "") ?? [];
  }

  /**
   * `error:handler not found,topic:orderbook.50.ABCUSDT`. One unknown topic costs the whole
   * request, which is all about one instrument.
   */
  #refused(message: JsonRecord, emit: Emit): void {
    const reason = textOf(message["ret_msg"]) ?? "refused";
    const named = /topic:\s*([^\s,]+)/.exec(reason)?.[1];
    const requested = this.#topicsOf(message);
    const topics = requested.length === 0 && named !== undefined ? [named] : requested;
    emitRefused(this.#read(topics), { reason, code: codeOf(message) }, emit);
  }

  /** What the topics are about. Trades of options come for all those on a base asset. */
  #read(topics: readonly string[]): readonly Asked[] {
    const category = this.#category;
    const venueMarket = category === undefined ? {} : { venueMarket: category };
    return topics.flatMap((text): readonly Asked[] => {
      const topic = parseBybitTopic(text);
      if (topic === undefined) return [];
      const channels = channelsOfTopic(topic, category);
      if (topic.name !== "trades" || category !== "option") {
        return [{ venueSymbol: topic.symbol, ...venueMarket, channels }];
      }
      return this.#catalog
        .all()
        .filter(({ kind, base }) => kind === "option" && base === topic.symbol)
        .map(({ venueSymbol }) => ({ venueSymbol, ...venueMarket, channels }));
    });
  }
}

function codeOf(message: JsonRecord): string | undefined {
  return refusalCode(message["ret_code"] ?? message["retCode"]);
}

function textsOf(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).filter((each) => typeof each === "string");
}
