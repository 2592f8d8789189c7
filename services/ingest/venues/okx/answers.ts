// https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
// https://www.okx.com/docs-v5/en/#overview-websocket-notification
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import {
  type Asked,
  emitRefused,
  refusalCode,
  refusalText,
} from "../../reading/subscription-answers.ts";
import { isRecord, type JsonRecord, parseJson, textOf } from "../../reading/text-fields.ts";
import { OKX_TYPE_OF_KIND } from "./instruments.ts";
import { channelOfOkx, type OkxArgument } from "./requests.ts";

/** https://www.okx.com/docs-v5/en/#error-code-websocket */
export const OKX_REFUSALS: RefusalRules = {
  tooFast: { codes: ["60014", "60023", "50011"] },
  passing: {
    codes: ["60015", "60016", "63999", "64008", "50001", "50013", "50026"],
  },
  final: {
    codes: [
      "60012",
      "60013",
      "60018",
      "60019",
      "60027",
      "60028",
      "64000",
      "64001",
      "64002",
      "64003",
      "64004",
      "51000",
      "51001",
    ],
  },
};

/** Confirmations whose first trade may be history; of more, it counts as live. */
const CONFIRMATIONS_REMEMBERED_MAX = 10_000;

/** What the venue says about subscriptions, on one connection. */
export class OkxAnswers {
  readonly #catalog: InstrumentCatalog;
  /** The arguments of each request, to know what a refusal is about. */
  readonly #requests = new PendingRequests<readonly OkxArgument[]>();
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
    this.#requests.note((args as readonly unknown[]).filter(isArgument), id);
  }

  /** Reads a message with an `event`. */
  read(message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    switch (message["event"]) {
      case "subscribe":
        return this.#confirmed(message["arg"], receivedTimeUs, emit);
      case "unsubscribe":
      case "login":
      case "channel-conn-count":
        return heartbeat(emit);
      case "error":
        return this.#refused(message, emit);
      case "notice":
        // Code 64008: the connection is about to be closed for an upgrade of the service.
        return emit({ kind: "reconnect-requested", reason: textOf(message["msg"]) ?? "notice" });
      default:
        reject(emit, "unknown-message");
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
    if (!isArgument(argument)) return reject(emit, "missing-field");
    const { channel: venueChannel, instId, instType } = argument;
    const channel = channelOfOkx(venueChannel);
    if (channel === undefined) return heartbeat(emit);
    if (instId !== undefined) {
      if (channel === "trades" && this.#confirmedUs.size < CONFIRMATIONS_REMEMBERED_MAX) {
        this.#confirmedUs.set(`${venueChannel} ${instId}`, receivedTimeUs);
      }
      return emit({ kind: "subscribed", venueSymbol: instId, channel });
    }
    // A whole type of instruments was confirmed; which of them are wanted here, the driver knows.
    heartbeat(emit);
    for (const { kind, venueSymbol } of this.#catalog.all()) {
      if (OKX_TYPE_OF_KIND[kind] === instType) emit({ kind: "subscribed", venueSymbol, channel });
    }
  }

  /** `Wrong URL or channel:books,instId:ABC-USDT doesn't exist.`, or no word of what was wrong. */
  #refused(message: JsonRecord, emit: Emit): void {
    const reason = refusalText(message["msg"], message["code"]);
    const [, channel, instId] = /channel:\s*([\w-]+),\s*instId:\s*([^\s,]+)/i.exec(reason) ?? [];
    const refused =
      channel === undefined || instId === undefined
        ? (this.#requests.get(textOf(message["id"]) ?? "") ?? [])
        : [{ channel, instId }];
    const code = refusalCode(message["code"]);
    emitRefused(refused.flatMap(askedBy), { reason, code }, emit);
  }
}

/** What an argument is about, unless many instruments share it. */
function askedBy({ channel: venueChannel, instId }: OkxArgument): readonly Asked[] {
  const channel = channelOfOkx(venueChannel);
  if (channel === undefined || instId === undefined) return [];
  return [{ venueSymbol: instId, channels: [channel] }];
}

function isArgument(value: unknown): value is OkxArgument {
  if (!isRecord(value) || typeof value["channel"] !== "string") return false;
  const { instId, instType } = value;
  return [instId, instType].every((name) => name === undefined || typeof name === "string");
}
