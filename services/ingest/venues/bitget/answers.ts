// What Bitget answers to subscriptions.
// https://www.bitget.com/docs/uta/quick-start
import type { FeedEvent } from "../../feed/feed-adapter.ts";
import type { BitgetArgument, BitgetDialect } from "./readings.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";

type Emit = (event: FeedEvent) => void;

/** Quoted in messages; refusals name them with or without quotes. A value cut short is none. */
const NAMED =
  /\b(instType|channel|topic|instId|symbol|interval)"?\s*:\s*"?([^",\s{}\\]+)(?=[",\s{}\\])/g;

/** Acknowledgements and refusals, one for each argument. */
export function readBitgetAnswer(message: JsonRecord, dialect: BitgetDialect, emit: Emit): void {
  const { event, arg: argument, msg } = message;
  const known = isRecord(argument) ? dialect.readArgument(argument) : undefined;
  if (event === "error") {
    const reason = typeof msg === "string" && msg !== "" ? msg : "refused";
    refuse(known ?? traceBitgetArgument(reason, dialect), reason, dialect, emit);
  } else if (event === "subscribe" && known?.symbol !== undefined) {
    const { symbol: venueSymbol, market: venueMarket } = known;
    for (const channel of dialect.channels[known.reading]) {
      emit({ kind: "subscribed", venueSymbol, venueMarket, channel });
    }
  } else if (event === "subscribe" || event === "unsubscribe") {
    emit({ kind: "heartbeat" });
  } else {
    emit({ kind: "rejected", reason: "unknown-message" });
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

function refuse(
  known: BitgetArgument | undefined,
  reason: string,
  dialect: BitgetDialect,
  emit: Emit,
): void {
  if (known === undefined) {
    emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    return;
  }
  const { symbol: venueSymbol, market: venueMarket, reading } = known;
  for (const channel of dialect.channels[reading]) {
    emit({ kind: "refused", venueSymbol, venueMarket, channel, reason });
  }
}
