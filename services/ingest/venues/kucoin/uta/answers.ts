// https://www.kucoin.com/docs-new/3470221w0
import { asJsonObject, asText, parseJsonText } from "#core/json-text.ts";
import type { Emit } from "../../../reading/emit.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { PendingRequests } from "../../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../../reading/subscription-answers.ts";
import { publishedOfUta } from "./requests.ts";

/** What was asked for on one connection: answers name only the number of a request. */
export class KucoinUtaAnswers {
  readonly #pending = new PendingRequests<Asked>();

  /** Takes note of a frame that was sent, and answers what it asks for. */
  sent(frame: string): Asked | undefined {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"]);
    const venueSymbol = asText(request?.["symbol"]);
    if (request?.["action"] !== "subscribe" || id === undefined) return undefined;
    if (venueSymbol === undefined) return undefined;
    const asked = { venueSymbol, channels: publishedOfUta(asText(request["channel"]) ?? "") };
    this.#pending.note(asked, id);
    return asked;
  }

  /** Reads `{"id":"1","result":true}`, or a refusal with its reason. */
  read(message: TextRecord, emit: Emit): void {
    const asked = this.#pending.take(asText(message["id"]) ?? "");
    const about = asked === undefined ? [] : [asked];
    if (message["result"] === true) emitSubscribed(about, emit);
    else emitRefused(about, asText(message["reason"]) ?? "refused", emit);
  }
}
