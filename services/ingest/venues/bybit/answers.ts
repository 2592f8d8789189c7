// https://bybit-exchange.github.io/docs/v5/ws/connect
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel } from "#core/instrument.ts";
import type { FeedEvent } from "../../feed/feed-adapter.ts";
import { type BybitCategory, channelsOfTopic, parseBybitTopic } from "./requests.ts";
import { isRecord, type JsonRecord, parseJson } from "../../reading/text-fields.ts";

type Emit = (event: FeedEvent) => void;

/** Requests whose topics are remembered, since answers name only the request; the oldest go. */
const REQUESTS_REMEMBERED_MAX = 1024;

/** What the venue says about subscriptions, on one connection. */
export class BybitAnswers {
  readonly #catalog: InstrumentCatalog;
  readonly #category: BybitCategory | undefined;
  readonly #requests = new Map<string, readonly string[]>();

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
    this.#requests.set(requestId, (args as readonly unknown[]).filter(isString));
    if (this.#requests.size <= REQUESTS_REMEMBERED_MAX) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  /** Reads a message without a topic. */
  read(message: JsonRecord, emit: Emit): void {
    const { op, type, success } = message;
    const isPong = op === "pong" || op === "ping" || message["ret_msg"] === "pong";
    if (isPong || (op === "unsubscribe" && typeof success === "boolean")) {
      emit({ kind: "heartbeat" });
    } else if (type === "COMMAND_RESP" && isRecord(message["data"])) {
      this.#optionAnswer(message, message["data"], emit);
    } else if (success === true && op === "subscribe") {
      this.#confirmed(this.#topicsOf(message), emit);
    } else if (success === false) {
      this.#refused(message, emit);
    } else {
      emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  /** Options name the topics that were taken and those that were not. */
  #optionAnswer(message: JsonRecord, data: JsonRecord, emit: Emit): void {
    const { successTopics, failTopics } = data;
    const taken = Array.isArray(successTopics) ? (successTopics as readonly unknown[]) : [];
    const failed = Array.isArray(failTopics) ? (failTopics as readonly unknown[]) : [];
    this.#confirmed(taken.filter(isString), emit);
    if (failed.length > 0) {
      this.#refuse(failed.filter(isString), textOf(message["ret_msg"]) ?? "refused", emit);
    }
  }

  #topicsOf(message: JsonRecord): readonly string[] {
    return this.#requests.get(textOf(message["req_id"]) ?? "") ?? [];
  }

  #confirmed(topics: readonly string[], emit: Emit): void {
    let said = false;
    for (const { venueSymbol, venueMarket, channels } of this.#read(topics)) {
      for (const channel of channels) {
        said = true;
        emit({ kind: "subscribed", venueSymbol, ...venueMarket, channel });
      }
    }
    if (!said) emit({ kind: "heartbeat" });
  }

  /**
   * `error:handler not found,topic:orderbook.50.ABCUSDT`. One unknown topic costs the whole request,
   * which is all about one instrument.
   */
  #refused(message: JsonRecord, emit: Emit): void {
    const reason = textOf(message["ret_msg"]) ?? "refused";
    if (/already subscribed/i.test(reason)) {
      emit({ kind: "heartbeat" });
      return;
    }
    const named = /topic:\s*([^\s,]+)/.exec(reason)?.[1];
    const requested = this.#topicsOf(message);
    this.#refuse(requested.length === 0 && named !== undefined ? [named] : requested, reason, emit);
  }

  #refuse(topics: readonly string[], reason: string, emit: Emit): void {
    const refused = this.#read(topics);
    if (refused.length === 0) {
      emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const { venueSymbol, venueMarket, channels } of refused) {
      for (const channel of channels) {
        emit({ kind: "refused", venueSymbol, ...venueMarket, channel, reason });
      }
    }
  }

  /** What the topics are about. Trades of options come for all those on a base asset. */
  #read(topics: readonly string[]): readonly About[] {
    const category = this.#category;
    const venueMarket = category === undefined ? {} : { venueMarket: category };
    return topics.flatMap((text): readonly About[] => {
      const topic = parseBybitTopic(text);
      if (topic === undefined) return [];
      const channels = channelsOfTopic(topic, category);
      if (topic.name !== "trades" || category !== "option") {
        return [{ venueSymbol: topic.symbol, venueMarket, channels }];
      }
      return this.#catalog
        .all()
        .filter(({ kind, base }) => kind === "option" && base === topic.symbol)
        .map(({ venueSymbol }) => ({ venueSymbol, venueMarket, channels }));
    });
  }
}

type About = {
  readonly venueSymbol: string;
  readonly venueMarket: { readonly venueMarket?: BybitCategory };
  readonly channels: readonly Channel[];
};

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
