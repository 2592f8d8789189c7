// https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
import { asJsonObject, asText, type JsonText, parseJsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";

/** What a topic asks for; nothing if it is none of ours. */
type AskedBy = (topic: JsonText | undefined) => readonly Asked[];

/** Code 400 and 509 mean several things each. https://www.kucoin.com/docs-new/error-code/websocket */
export const KUCOIN_REFUSALS: RefusalRules = {
  tooFast: { words: /max permits per second|session count limitation/i },
  passing: { codes: ["401", "500"], words: /service busy|ping timeout/i },
  final: {
    codes: ["403", "404", "406", "415"],
    words: /topic is invalid|invalid topic|does not exist|100 per time|300 per session|more than/i,
  },
};

/**
 * What was asked for on one connection. Answers name only the number of a request, and some clients
 * give several requests the same one: they are answered in their order.
 */
export class KucoinAnswers {
  readonly #askedBy: AskedBy;
  readonly #pending = new PendingRequests<{
    readonly id: string;
    readonly asked: readonly Asked[];
  }>();

  constructor(askedBy: AskedBy) {
    this.#askedBy = askedBy;
  }

  /** Takes note of a frame that was sent. */
  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"]);
    const asked = this.#askedBy(request?.["topic"]);
    if (request?.["type"] !== "subscribe" || id === undefined || asked.length === 0) return;
    this.#pending.note({ id, asked });
  }

  /** Reads an `ack` or an `error`. What is confirmed by it. */
  read(message: TextRecord, emit: Emit): readonly Asked[] {
    const asked = this.#pending.takeOldest(({ id }) => id === message["id"])?.asked ?? [];
    if (message["type"] === "ack") {
      emitSubscribed(asked, emit);
      return asked;
    }
    const code = asText(message["code"]);
    const reason = asText(message["data"]) ?? `code ${code ?? "unknown"}`;
    emitRefused(asked, { reason, code }, emit);
    return [];
  }
}
