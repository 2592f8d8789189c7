import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByAddress } from "../../reading/address-plans.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { CRYPTOCOM_REFUSALS } from "./answers.ts";
import { CryptocomReader } from "./decoder.ts";
import { CRYPTOCOM, deriveCryptocomInstrument, parseCryptocomInstruments } from "./instruments.ts";
import { cryptocomRequests, isOffered } from "./requests.ts";
import {
  CRYPTOCOM_BOOK_PROBE,
  cryptocomInstrumentsRequest,
  cryptocomRecordedRequest,
  cryptocomTradesRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue refuses the 401st. A mark price takes the place of its index as well.
  subscriptionsPerConnectionMax: 200,
  // The venue takes 100 a second, of which the first second has only as much as is left of it.
  outgoingFrames: { count: 5, intervalMs: 100 },
  // The venue allows 100 a second of each kind.
  restWeight: { count: 20, intervalMs: 1000 },
  // The venue names no limit.
  connects: { count: 5, intervalMs: 1000 },
  // A book that does not change says so every five seconds. How often the others come is a guess.
  silenceMsMax: { book: 20_000, "mark-price": 60_000, funding: 300_000 },
  alwaysSpoken: ["book"],
  // The venue's heartbeat comes every 30 s, so two of them were lost.
  connectionSilenceMsMax: 65_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Crypto.com Exchange v1: spot pairs, perpetuals and dated futures.
 *
 * Not sure: how a refusal of a subscription looks (by its code, it is one of our numbered request);
 * whether what falls out of a book of 50 levels is said (it is cut off either way); what the
 * checksum `cs` of older recordings was made of, which is therefore not compared.
 */
export const cryptocom: FeedAdapter = {
  venue: CRYPTOCOM,
  title: "Crypto.com Exchange v1",
  documentation: ["https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html"],
  channels: ALL_CHANNELS.filter((channel) => channel !== "liquidations"),
  candlesEndUnsaid: true,
  notes: {
    trades: "The first message after subscribing holds the last 50 trades, as history.",
    quotes: "Those of the ticker, with their sizes.",
    book: "10 or 50 levels, with changes of 100 ms in one message.",
    ticker: "Without the opening price.",
    candles: "One minute. Has no time but its own. Told as closed when the next one begins.",
    funding: "The rate of the hour that runs, paid at its end; perpetuals only.",
    "mark-price": "With the index price that came last before it; contracts only.",
    "open-interest": "That of the ticker, in the base asset; contracts only.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note:
      "Every change names the number of the one before, also where nothing changed; a wrong number " +
      "in a level is not noticed, since the venue no longer documents its checksum.",
  },
  endpoints: {
    webSocket: "wss://stream.crypto.com/exchange/v1/market",
    rest: "https://api.crypto.com/exchange/v1",
  },
  limits: LIMITS,
  refusals: CRYPTOCOM_REFUSALS,
  bookSync: { snapshot: "in-band", sequencing: LINKED_CHANGES },
  instrumentsRequests: (endpoints) => [cryptocomInstrumentsRequest(endpoints)],
  recordedRequest: cryptocomRecordedRequest,
  parseInstruments: parseCryptocomInstruments,
  deriveInstrument: (venueSymbol) => deriveCryptocomInstrument(venueSymbol),
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      (subscription) => (isOffered(subscription) ? webSocket : undefined),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (wanted, options) => cryptocomRequests("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => cryptocomRequests("unsubscribe", wanted, options),
  tradesRequest: (instrument, { endpoints }) => cryptocomTradesRequest(instrument, endpoints),
  bookProbe: CRYPTOCOM_BOOK_PROBE,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new CryptocomReader(tape, context));
  },
};
