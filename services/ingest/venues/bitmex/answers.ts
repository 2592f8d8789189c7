// https://www.bitmex.com/app/wsAPI
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { channelsOfTable } from "./requests.ts";

/** By memory: a refusal says an HTTP status and its words. */
export const BITMEX_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { codes: ["429"], words: /rate limit/i },
  passing: { codes: ["500", "502", "503", "504"] },
  final: { codes: ["401", "403"], words: /unknown|expired|invalid|not allowed/i },
};

/** Reads a message that is about no table, and returns the subscriptions that it confirms. */
export function readAnswer(message: TextRecord, emit: Emit): readonly Asked[] {
  const { error, request, subscribe, info, unsubscribe } = message;
  if (error !== undefined) {
    // It repeats the request that it answers; ours each name one topic.
    const args = asJsonObject(request)?.["args"];
    const topics = typeof args === "string" ? [args] : (asJsonArray(args) ?? []);
    const why = { reason: asText(error) ?? "refused", code: asText(message["status"]) };
    emitRefused(topics.flatMap(askedBy), why, emit);
  } else if (subscribe !== undefined) {
    const confirmed = askedBy(subscribe);
    emitSubscribed(confirmed, emit);
    return confirmed;
  } else if ([info, unsubscribe, request].some((field) => field !== undefined)) {
    // The greeting, the end of a subscription, and whatever else was asked for and granted.
    heartbeat(emit);
  } else {
    reject(emit, "unknown-message");
  }
  return [];
}

/** What a topic such as `trade:XBTUSD` is about; nothing if it names no symbol. */
function askedBy(topic: JsonText): readonly Asked[] {
  const [, table = "", venueSymbol] = /^([^:]*):(.*)$/.exec(asText(topic) ?? "") ?? [];
  return venueSymbol === undefined ? [] : [{ venueSymbol, channels: channelsOfTable(table) }];
}
