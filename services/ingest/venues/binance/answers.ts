import type { Channel } from "#core/instrument.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat } from "../../reading/emit.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import {
  type Asked,
  emitRefused,
  emitSubscribed,
  refusalCode,
  refusalText,
} from "../../reading/subscription-answers.ts";
import { isRecord, type JsonRecord, parseJson } from "../../reading/text-fields.ts";
import { venueSymbolOfStream } from "./fields.ts";

/** Codes from -1100 to -1130 are about what was asked for. */
const BAD_PARAMETERS = Array.from({ length: 31 }, (_, index) => String(-1100 - index));

/**
 * Unknown names are not refused: their streams stay silent.
 * https://developers.binance.com/docs/binance-spot-api-docs/errors
 */
export const BINANCE_REFUSALS: RefusalRules = {
  tooFast: { codes: ["-1003", "-1015"], words: /too many/i },
  passing: { codes: ["-1000", "-1001", "-1006", "-1007", "-1008", "-1016", "-1034"] },
  // What the socket says of a request that it cannot read.
  final: { codes: ["0", "1", "2", "3", ...BAD_PARAMETERS] },
};

/** What the venue says about subscriptions, on one connection. */
export class BinanceAnswers {
  readonly #channelsOfStream: (stream: string) => readonly Channel[];
  /** The streams of each request, since answers name only the request. */
  readonly #requests = new PendingRequests<readonly string[]>();

  constructor(channelsOfStream: (stream: string) => readonly Channel[]) {
    this.#channelsOfStream = channelsOfStream;
  }

  /** Takes note of what a request asks for. */
  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || request["method"] !== "SUBSCRIBE") return;
    const { id, params } = request;
    if (typeof id !== "number" || !Array.isArray(params)) return;
    this.#requests.note(params.map(String), String(id));
  }

  /** Reads a message that may be an answer; false if it is none. */
  read(message: JsonRecord, emit: Emit): boolean {
    const { id, result, error, code, msg } = message;
    if (error !== undefined || (code !== undefined && msg !== undefined)) {
      this.#refused(message, emit);
    } else if (id === undefined || result === undefined) {
      return false;
    } else if (result === null) {
      emitSubscribed(this.#askedBy(id), emit);
    } else {
      // The answer to a question, such as which streams there are.
      heartbeat(emit);
    }
    return true;
  }

  /** Binance refuses a request as a whole. */
  #refused(message: JsonRecord, emit: Emit): void {
    const error = isRecord(message["error"]) ? message["error"] : message;
    const reason = refusalText(error["msg"], error["code"]);
    const code = refusalCode(error["code"]);
    emitRefused(this.#askedBy(message["id"]), { reason, code }, emit);
  }

  #askedBy(id: unknown): readonly Asked[] {
    const streams = typeof id === "number" ? (this.#requests.take(String(id)) ?? []) : [];
    return streams.map((stream) => ({
      venueSymbol: venueSymbolOfStream(stream),
      channels: this.#channelsOfStream(stream),
    }));
  }
}
