// https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
import { asJsonObject, asText, parseJsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { type KucoinTopic, parseTopic } from "./fields.ts";

/** Code 400 and 509 mean several things each. https://www.kucoin.com/docs-new/error-code/websocket */
export const KUCOIN_REFUSALS: RefusalRules = {
  tooFast: { words: /max permits per second|session count limitation/i },
  passing: { codes: ["401", "500"], words: /service busy|ping timeout/i },
  final: {
    codes: ["403", "404", "406", "415"],
    words: /topic is invalid|invalid topic|100 per time|300 per session|more than/i,
  },
};

/**
 * What was asked for on one connection. Answers name only the number of a request, and some clients
 * give several requests the same one: they are answered in their order.
 */
export class KucoinAnswers {
  readonly #pending = new PendingRequests<{ readonly id: string; readonly topic: KucoinTopic }>();

  /** Takes note of a frame that was sent. */
  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"]);
    const topic = parseTopic(request?.["topic"]);
    if (request?.["type"] !== "subscribe" || id === undefined || topic === undefined) return;
    this.#pending.note({ id, topic });
  }

  /** Reads an `ack` or an `error`. What is confirmed by it. */
  read(message: TextRecord, emit: Emit): readonly Asked[] {
    const topic = this.#pending.takeOldest(({ id }) => id === message["id"])?.topic;
    const channels = topic === undefined ? [] : [topic.channel];
    const asked = topic?.venueSymbols.map((venueSymbol) => ({ venueSymbol, channels })) ?? [];
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
