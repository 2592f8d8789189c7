// https://docs.gemini.com/rest/derivatives (GET /v1/riskstats/:symbol)
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { asJsonObject, parseJsonText, type JsonText } from "#core/json-text.ts";
import type {
  FeedEndpoints,
  FeedEvent,
  RejectReason,
  PollRequest,
  RestPoll,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import type { RecordedAddress } from "../../reading/recorded-addresses.ts";
import { decimalText } from "../../reading/text-fields.ts";

/** Two channels of 13 perpetuals are 26 of the 120 requests a minute that the venue allows. */
const POLL_INTERVAL_MS = 60_000;

type JsonObject = { readonly [key: string]: JsonText };

/** What is asked of each perpetual by REST; one answer has the open interest and the mark price. */
export function geminiRiskPoll(channel: Channel): RestPoll {
  return { channel, intervalMs: POLL_INTERVAL_MS, requests: riskRequests };
}

/** The address of such a request, as recordings have it: it tells of both channels. */
export function geminiRiskAddress(
  channel: Channel,
  venueSymbolOf: (listed: string) => string,
): RecordedAddress {
  return { kind: "poll", channel, path: /\/v1\/riskstats\/([A-Za-z0-9]+)\/?$/, venueSymbolOf };
}

function riskRequests(
  instruments: readonly Instrument[],
  endpoints: FeedEndpoints,
): readonly PollRequest[] {
  const base = `${endpoints.rest}/v1/riskstats/`;
  return instruments
    .filter(({ kind }) => kind === "perpetual")
    .map((instrument) => ({
      url: base + instrument.venueSymbol.toLowerCase(),
      weight: 1,
      instrument,
    }));
}

/** Reads such an answer, which has no time and names its contract by its address only. */
export function decodeGeminiRisk(
  response: RestResponse,
  context: {
    readonly catalog: InstrumentCatalog;
    readonly venueSymbolOf: (listed: string) => string;
    readonly receivedTimeUs: number;
  },
  emit: (event: FeedEvent) => void,
): void {
  const { catalog, venueSymbolOf, receivedTimeUs } = context;
  const listed = /\/v1\/riskstats\/([A-Za-z0-9]+)\/?(?:\?|$)/.exec(response.url)?.[1];
  if (listed === undefined) return emit({ kind: "rejected", reason: "unknown-message" });
  const instrument = catalog.byVenueSymbol(venueSymbolOf(listed));
  if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
  const json = parseJsonText(response.body);
  if (json === undefined) return emit({ kind: "rejected", reason: "bad-json", instrument });
  const stats = asJsonObject(json) ?? {};
  const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
  const mark = pairOf(stats, "mark_price", "index_price");
  if (typeof mark === "string") {
    emit({ kind: "rejected", reason: mark, instrument, channel: "mark-price" });
  } else {
    emit({ kind: "mark-price", ...common, markPrice: mark.value, indexPrice: mark.beside });
  }
  const interest = pairOf(stats, "open_interest", "open_interest_notional");
  if (typeof interest === "string") {
    emit({ kind: "rejected", reason: interest, instrument, channel: "open-interest" });
  } else {
    const { value: openInterest, beside: openInterestValue } = interest;
    emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
  }
}

/** A decimal that must be there, and one beside it that may be missing. */
function pairOf(
  stats: JsonObject,
  name: string,
  nameBeside: string,
): { readonly value: string; readonly beside: string | undefined } | RejectReason {
  const besideText = stats[nameBeside] ?? undefined;
  if (stats[name] === undefined || stats[name] === null) return "missing-field";
  const value = decimalText(stats[name]);
  const beside = decimalText(besideText);
  if (value === undefined || (besideText !== undefined && beside === undefined)) {
    return "bad-decimal";
  }
  return { value, beside };
}
