// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
import type { JsonTape } from "#core/json-tape.ts";
import { fieldFinder } from "../../reading/damage.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import { type Asked, emitSubscribed } from "../../reading/subscription-answers.ts";
import { channelsOfType } from "./requests.ts";

/** Words only. What cannot be tracked is one too many for our address. */
export const HYPERLIQUID_REFUSALS: RefusalRules = {
  harmless: { words: /already (?:un)?subscribed/i },
  tooFast: { words: /too many|rate limit/i },
  final: { words: /invalid subscription|cannot track|error parsing/i },
};

const coinIn = fieldFinder("coin");
const typeIn = fieldFinder("type");

/** Reads the answer to a request. What is confirmed by it. */
export function readAcknowledgement(tape: JsonTape, data: number, emit: Emit): Asked | undefined {
  const subscription = tape.get(data, "subscription");
  const venueSymbol = tape.text(tape.get(subscription, "coin"));
  const channels = channelsOfType(tape.text(tape.get(subscription, "type")));
  const isNew = tape.equals(tape.get(data, "method"), "subscribe");
  const asked = isNew && venueSymbol !== undefined ? { venueSymbol, channels } : undefined;
  emitSubscribed(asked === undefined ? [] : [asked], emit);
  return asked;
}

/** Reads an error. The subscription is quoted in its text. */
export function readRefusal(reason: string, emit: Emit): void {
  const venueSymbol = coinIn(reason);
  const channels = channelsOfType(typeIn(reason));
  for (const channel of channels.length === 0 ? [undefined] : channels) {
    emit({ kind: "refused", venueSymbol, channel, reason });
  }
}
