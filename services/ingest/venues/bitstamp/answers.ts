// https://www.bitstamp.net/websocket/v2/
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import { emitRefused } from "../../reading/subscription-answers.ts";
import { channelsOfStream, splitChannel } from "./requests.ts";

/** Of codes, REST documents a few; what the socket says is known by its words alone. */
export const BITSTAMP_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { codes: ["400.002", "400.067", "400.068"], words: /too many|rate limit/i },
  passing: { codes: ["400.003"], words: /maintenance|unavailable|try again/i },
  final: { words: /bad (?:subscription|channel)|incorrect|invalid|unknown|not (?:found|exist)/i },
};

/** Reads an error. Most name no channel. */
export function readBitstampRefusal(name: string, data: JsonText | undefined, emit: Emit): void {
  const error = asJsonObject(data);
  const reason = asText(error?.["message"]) ?? "refused";
  const { stream, venueSymbol } = splitChannel(name);
  const channels = channelsOfStream(stream);
  emitRefused([{ venueSymbol, channels }], { reason, code: asText(error?.["code"]) }, emit);
}
