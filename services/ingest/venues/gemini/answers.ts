// https://developer.gemini.com/websocket/streams
import { asJsonArray, asJsonObject, asText, parseJsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { askedOf } from "./requests.ts";

/** Its codes are not documented: the status is that of HTTP, and the words say the rest. */
export const GEMINI_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { codes: ["429"], words: /rate limit|too many/i },
  passing: { codes: ["500", "502", "503", "504"], words: /maintenance|try again|unavailable/i },
  final: { codes: ["401", "403", "404"], words: /invalid|unknown|not (?:found|supported|exist)/i },
};

/** A request that was sent. */
type GeminiRequest = { readonly method: string; readonly asked: readonly Asked[] };

const NOTHING: GeminiRequest = { method: "", asked: [] };

/** What the venue says about subscriptions, on one connection. Answers name only the request. */
export class GeminiAnswers {
  readonly #requests = new PendingRequests<GeminiRequest>();

  /** Takes note of a request, which it returns; undefined if the frame is none. */
  sent(frame: string): GeminiRequest | undefined {
    const json = asJsonObject(parseJsonText(frame));
    const id = asText(json?.["id"]);
    const method = asText(json?.["method"])?.toUpperCase();
    const params = asJsonArray(json?.["params"]);
    if (id === undefined || method === undefined || params === undefined) return undefined;
    const request = { method, asked: params.map((stream) => askedOf(asText(stream) ?? "")) };
    this.#requests.note(request, id);
    return request;
  }

  /** Reads an answer. The request that is done by it, or nothing. */
  read(message: TextRecord, emit: Emit): GeminiRequest {
    const request = this.#requests.take(asText(message["id"]) ?? "") ?? NOTHING;
    const asked = request.method === "SUBSCRIBE" ? request.asked : [];
    const { status = "200", result, error } = message;
    if (status === "200" && result !== "error" && error === undefined) {
      emitSubscribed(asked, emit);
      return request;
    }
    emitRefused(asked, { reason: reasonOf(message), code: asText(status) }, emit);
    return NOTHING;
  }
}

function reasonOf(message: TextRecord): string {
  const { error, msg, reason } = message;
  const details = asJsonObject(error);
  const texts = [details?.["msg"], details?.["message"], error, msg, reason];
  return asText(texts.find((text) => typeof text === "string")) ?? "refused";
}
