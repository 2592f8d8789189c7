// What Bitget answers to subscriptions.
// https://www.bitget.com/docs/uta/quick-start
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import {
  emitRefused,
  emitSubscribed,
  refusalCode,
  type Refused,
} from "../../reading/subscription-answers.ts";
import { isRecord, type JsonRecord, textOf } from "../../reading/text-fields.ts";
import { BITGET_CHANNELS, type BitgetArgument, type BitgetDialect } from "./readings.ts";

/** https://www.bitget.com/docs/common/ws-error-code: by memory, and alike in both versions. */
export const BITGET_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed|repeat(?:ed)? subscri/i },
  tooFast: { codes: ["30006", "30007"], words: /too many/i },
  passing: { words: /system (?:busy|error|maintenance)|try again|temporar/i },
  final: {
    codes: ["30001", "30002", "30003", "30004", "30005", "30016"],
    words: /doesn'?t exist|not exist|param(?:eter)? error|invalid|illegal/i,
  },
};

/** Quoted in messages; refusals name them with or without quotes. A value cut short is none. */
const NAMED =
  /\b(instType|channel|topic|instId|symbol|interval)"?\s*:\s*"?([^",\s{}\\]+)(?=[",\s{}\\])/g;

/** Acknowledgements and refusals, one for each argument. */
export function readBitgetAnswer(message: JsonRecord, dialect: BitgetDialect, emit: Emit): void {
  const { event, arg: argument, msg } = message;
  const known = isRecord(argument) ? dialect.readArgument(argument) : undefined;
  switch (event) {
    case "error": {
      const reason = textOf(msg) ?? "refused";
      const code = refusalCode(message["code"]);
      return refuse(known ?? traceBitgetArgument(reason, dialect), { reason, code }, emit);
    }
    case "subscribe": {
      if (known?.symbol === undefined) return heartbeat(emit);
      const { symbol: venueSymbol, market: venueMarket } = known;
      const channels = BITGET_CHANNELS[known.reading];
      return emitSubscribed([{ venueSymbol, venueMarket, channels }], emit);
    }
    case "unsubscribe":
      return heartbeat(emit);
    default:
      reject(emit, "unknown-message");
  }
}

/** The subscription that is named somewhere in a text: a damaged message, or a refusal. */
export function traceBitgetArgument(
  text: string,
  dialect: BitgetDialect,
): BitgetArgument | undefined {
  const argument: Record<string, string> = {};
  for (const [, key, value] of text.matchAll(NAMED)) {
    if (key !== undefined && value !== undefined) argument[key] ??= value;
  }
  return dialect.readArgument(argument);
}

function refuse(known: BitgetArgument | undefined, refused: Refused, emit: Emit): void {
  if (known === undefined) return emitRefused([], refused, emit);
  const { symbol: venueSymbol, market: venueMarket, reading } = known;
  for (const channel of BITGET_CHANNELS[reading]) {
    emit({ kind: "refused", venueSymbol, venueMarket, channel, ...refused });
  }
}
