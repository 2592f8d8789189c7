// https://www.gate.com/docs/developers/apiv4/ws/en/
import type { Channel } from "#core/instrument.ts";
import { asJsonObject, asText, parseJsonText, type JsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { venueSymbolsOfPayload } from "./fields.ts";

/** https://www.gate.com/docs/developers/apiv4/ws/en/#server-response */
export const GATE_REFUSALS: RefusalRules = {
  harmless: { words: /^Alert sub / },
  tooFast: { codes: ["11"], words: /too many|rate limit/i },
  passing: { codes: ["3", "12"] },
  final: { codes: ["1", "2", "4"] },
};

type Request = { readonly name: string; readonly payload: JsonText };

/** What was asked for on one connection, and what the venue says to it. */
export class GateAnswers {
  readonly #pending = new PendingRequests<Request>();
  readonly #channelsOf: (name: string) => readonly Channel[];

  /** `channelsOf` says what is published of a channel of the venue. */
  constructor(channelsOf: (name: string) => readonly Channel[]) {
    this.#channelsOf = channelsOf;
  }

  /** Takes note of a frame that was sent. What it asks for, if it is a request to subscribe. */
  sent(frame: string): Request | undefined {
    const request = asJsonObject(parseJsonText(frame));
    const name = asText(request?.["channel"]);
    const payload = request?.["payload"];
    if (request?.["event"] !== "subscribe" || name === undefined || payload === undefined) {
      return undefined;
    }
    const asked = { name, payload };
    this.#pending.note(asked, asText(request["id"]));
    return asked;
  }

  /** Reads the answer to a request to subscribe. What is confirmed by it. */
  read(name: string, message: TextRecord, emit: Emit): readonly Asked[] {
    const error = asJsonObject(message["error"]);
    // The venue's words for a stream that is subscribed to already.
    const isKnown = asText(error?.["message"])?.startsWith("Alert sub ") === true;
    if (error !== undefined && !isKnown) {
      this.refused(name, message, emit);
      return [];
    }
    const confirmed = this.#take(name, message);
    emitSubscribed(confirmed, emit);
    return confirmed;
  }

  /** Reads an error, whether it answers a request or not. */
  refused(name: string, message: TextRecord, emit: Emit): void {
    const error = asJsonObject(message["error"]);
    const code = asText(error?.["code"]);
    const reason = asText(error?.["message"]) ?? `code ${code ?? "unknown"}`;
    emitRefused(this.#take(name, message), { reason, code }, emit);
  }

  /**
   * What an answer is about: it repeats the request's id and payload, or, as it did until 2023,
   * neither; then answers come in the order of the requests of a channel.
   */
  #take(name: string, message: TextRecord): readonly Asked[] {
    const id = asText(message["id"]) ?? "";
    const { payload } = message;
    const text = payload === undefined ? undefined : JSON.stringify(payload);
    const pending =
      id === ""
        ? this.#pending.takeOldest(
            (each) =>
              each.name === name && (text === undefined || JSON.stringify(each.payload) === text),
          )
        : this.#pending.take(id);
    const channels = this.#channelsOf(name);
    const venueSymbols = venueSymbolsOfPayload(name, payload ?? pending?.payload);
    return venueSymbols.map((venueSymbol) => ({ venueSymbol, channels }));
  }
}
