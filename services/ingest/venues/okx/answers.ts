// https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
// https://www.okx.com/docs-v5/en/#overview-websocket-notification
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEvent } from "../../feed/feed-adapter.ts";
import { channelOfOkx, OKX_TYPE_OF_KIND, type OkxArgument } from "./requests.ts";
import { isRecord, type JsonRecord, parseJson } from "../../reading/text-fields.ts";

type Emit = (event: FeedEvent) => void;

/**
 * Requests whose arguments are remembered, to know what a refusal is about; the oldest go first.
 */
const REQUESTS_REMEMBERED_MAX = 1024;

/** Confirmations whose first trade may be history; of more, it counts as live. */
const CONFIRMATIONS_REMEMBERED_MAX = 10_000;

/** What the venue says about subscriptions, on one connection. */
export class OkxAnswers {
  readonly #catalog: InstrumentCatalog;
  readonly #requests = new Map<string, readonly OkxArgument[]>();
  /** When trades were confirmed whose first message is still to come, by channel and instrument. */
  readonly #confirmedUs = new Map<string, number>();

  constructor(catalog: InstrumentCatalog) {
    this.#catalog = catalog;
  }

  /** Takes note of what a request asks for. */
  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || request["op"] !== "subscribe") return;
    const { id, args } = request;
    if (typeof id !== "string" || !Array.isArray(args)) return;
    this.#requests.set(id, (args as readonly unknown[]).filter(isArgument));
    if (this.#requests.size <= REQUESTS_REMEMBERED_MAX) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  /** Reads a message with an `event`. */
  read(message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    switch (message["event"]) {
      case "subscribe":
        this.#confirmed(message["arg"], receivedTimeUs, emit);
        return;
      case "unsubscribe":
      case "login":
      case "channel-conn-count":
        emit({ kind: "heartbeat" });
        return;
      case "error":
        this.#refused(message, emit);
        return;
      case "notice":
        // Code 64008: the connection is about to be closed for an upgrade of the service.
        emit({ kind: "reconnect-requested", reason: textOf(message["msg"]) ?? "notice" });
        return;
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  /**
   * True for the trade that the venue repeats on subscribing: the first after the confirmation, if
   * it is older than that. Measured on recordings; the documentation does not tell of it.
   */
  isHistory(
    venueChannel: string,
    instrument: Instrument,
    venueTimeUs: number | undefined,
  ): boolean {
    const key = `${venueChannel} ${instrument.venueSymbol}`;
    const confirmedUs = this.#confirmedUs.get(key);
    if (confirmedUs === undefined) return false;
    this.#confirmedUs.delete(key);
    return venueTimeUs !== undefined && venueTimeUs < confirmedUs;
  }

  #confirmed(argument: unknown, receivedTimeUs: number, emit: Emit): void {
    if (!isArgument(argument)) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const { channel: venueChannel, instId, instType } = argument;
    const channel = channelOfOkx(venueChannel);
    if (channel === undefined) {
      emit({ kind: "heartbeat" });
    } else if (instId !== undefined) {
      if (channel === "trades" && this.#confirmedUs.size < CONFIRMATIONS_REMEMBERED_MAX) {
        this.#confirmedUs.set(`${venueChannel} ${instId}`, receivedTimeUs);
      }
      emit({ kind: "subscribed", venueSymbol: instId, channel });
    } else {
      // A whole type of instruments was confirmed; which of them are wanted here, the driver knows.
      emit({ kind: "heartbeat" });
      for (const { kind, venueSymbol } of this.#catalog.all()) {
        if (OKX_TYPE_OF_KIND[kind] === instType) emit({ kind: "subscribed", venueSymbol, channel });
      }
    }
  }

  /** `Wrong URL or channel:books,instId:ABC-USDT doesn't exist.`, or no word of what was wrong. */
  #refused(message: JsonRecord, emit: Emit): void {
    const reason = textOf(message["msg"]) ?? `code ${String(message["code"])}`;
    const named = /channel:\s*([\w-]+),\s*instId:\s*([^\s,]+)/i.exec(reason);
    const request = this.#requests.get(textOf(message["id"]) ?? "") ?? [];
    const [, channelName, instIdName] = named ?? [];
    const byName: readonly OkxArgument[] =
      channelName === undefined || instIdName === undefined
        ? []
        : [{ channel: channelName, instId: instIdName }];
    const refused = (byName.length > 0 ? byName : request).filter(
      (argument) => channelOfOkx(argument.channel) !== undefined && argument.instId !== undefined,
    );
    if (refused.length === 0) {
      emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const { channel, instId } of refused) {
      emit({ kind: "refused", venueSymbol: instId, channel: channelOfOkx(channel), reason });
    }
  }
}

function isArgument(value: unknown): value is OkxArgument {
  if (!isRecord(value) || typeof value["channel"] !== "string") return false;
  const { instId, instType } = value;
  return [instId, instType].every((name) => name === undefined || typeof name === "string");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
