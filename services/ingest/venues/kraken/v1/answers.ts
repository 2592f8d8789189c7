// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/subscribe
import type { Channel } from "#core/instrument.ts";
import { type Emit, heartbeat, reject } from "../../../reading/emit.ts";
import { emitVenueState } from "../../../reading/state-events.ts";
import { isRecord, type JsonRecord } from "../../../reading/text-fields.ts";
import { KRAKEN_STATES } from "../instruments.ts";
import { CHANNEL_OF_STREAM } from "./requests.ts";

/** A subscription that the venue has confirmed. */
type Confirmed = { readonly venueSymbol: string; readonly channel: Channel };

/** Reads a message that is no data. What is confirmed by it, if anything is. */
export function readKrakenV1Answer(message: JsonRecord, emit: Emit): Confirmed | undefined {
  switch (message["event"]) {
    case "heartbeat":
    case "pong":
      heartbeat(emit);
      return undefined;
    case "systemStatus":
      emitVenueState(KRAKEN_STATES, message["status"], emit);
      return undefined;
    case "subscriptionStatus":
      return readStatus(message, emit);
    case "error": {
      // A request that was not even read as one, such as too many of them at once.
      const reason = reasonOf(message);
      emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
      return undefined;
    }
    default:
      reject(emit, "unknown-message");
      return undefined;
  }
}

function readStatus(message: JsonRecord, emit: Emit): Confirmed | undefined {
  const { pair, status, subscription } = message;
  const channel = isRecord(subscription) ? CHANNEL_OF_STREAM.get(subscription["name"]) : undefined;
  const venueSymbol = typeof pair === "string" ? pair : undefined;
  if (status === "error") {
    const reason = reasonOf(message);
    if (/not subscribed/i.test(reason)) heartbeat(emit);
    else emit({ kind: "refused", venueSymbol, channel, reason });
  } else if (status === "subscribed" && venueSymbol !== undefined && channel !== undefined) {
    emit({ kind: "subscribed", venueSymbol, channel });
    return { venueSymbol, channel };
  } else if (status === "unsubscribed" && message["reqid"] === undefined) {
    // All our requests have an id, which answers repeat: this one the venue began by itself.
    emit({ kind: "refused", venueSymbol, channel, reason: "unsubscribed by the venue" });
  } else {
    heartbeat(emit);
  }
  return undefined;
}

function reasonOf({ errorMessage }: JsonRecord): string {
  return typeof errorMessage === "string" ? errorMessage : "refused";
}
