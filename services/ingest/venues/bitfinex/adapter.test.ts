import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedDecoder, FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { bitfinex } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 25 };
const ALL_NUMBERED = '{"event":"conf","status":"OK","flags":229376}';

function derived(venueSymbol: string): Instrument {
  const instrument = bitfinex.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is not derived`);
  return instrument;
}

function wanted(
  venueSymbols: readonly string[],
  channels: readonly Channel[],
): readonly FeedSubscription[] {
  return venueSymbols.flatMap((venueSymbol) => {
    const instrument = derived(venueSymbol);
    return channels.map((channel) => ({ instrument, channel }));
  });
}

/** A decoder that knows the instruments of these subscriptions. */
function decoderOf(subscriptions: readonly FeedSubscription[]): {
  readonly decoder: FeedDecoder;
  readonly decode: (...frames: readonly string[]) => readonly FeedEvent[];
} {
  const catalog = new InstrumentCatalog({ venue: "bitfinex", instrumentsMax: 10 });
  catalog.add(subscriptions.map(({ instrument }) => instrument));
  const decoder = bitfinex.createDecoder({ catalog, bookDepth: 25 });
  return {
    decoder,
    decode(...frames) {
      const events: FeedEvent[] = [];
      for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
      return events;
    },
  };
}

function subscribed(channel: string, chanId: number, symbol: string): string {
  return JSON.stringify({ event: "subscribed", channel, chanId, symbol });
}

describe("names", () => {
  test.each([
    ["tBTCUSD", { symbol: "BTC-USD", kind: "spot" }],
    ["tBTCUST", { symbol: "BTC-USDT", quote: "USDT" }],
    ["tTESTBTC:TESTUSD", { symbol: "TESTBTC-TESTUSD", kind: "spot" }],
    ["tBTCF0:USTF0", { symbol: "BTC-USDT-PERP", kind: "perpetual", settle: "USDT" }],
    ["tDOTF0:BTCF0", { symbol: "DOT-BTC-PERP", settle: "BTC", inverse: false }],
  ])("%s says what it is", (name, fields) => {
    expect(derived(name)).toMatchObject(fields);
  });

  test.each(["BTCUSD", "tBTCUSDT", "t:USD", "tbtcusd", "fUSD", "t", ""])("%j is none", (name) => {
    expect(bitfinex.deriveInstrument(name)).toBeUndefined();
  });
});

describe("connections", () => {
  test("no connection has more of the venue's channels than the 25 that it allows", () => {
    const symbols = Array.from("ABCDEFGHIJ", (letter) => `tAA${letter}USD`);
    const channels: readonly Channel[] = ["trades", "book", "ticker", "candles"];
    const plans = bitfinex.planConnections(wanted(symbols, channels), bitfinex.endpoints);
    expect(plans.map(({ subscriptions }) => subscriptions.length)).toEqual([24, 16]);
  });

  test("what comes by one channel of the venue is asked for once", () => {
    const status = wanted(["tBTCF0:USTF0"], ["funding", "mark-price", "open-interest"]);
    expect(bitfinex.subscribeFrames(status, OPTIONS)).toEqual([
      '{"event":"subscribe","channel":"status","key":"deriv:tBTCF0:USTF0"}',
    ]);
  });
});

describe("channel ids", () => {
  const both = wanted(["tBTCUSD"], ["book", "trades"]);

  test("a subscription ends by the id that its connection was given", () => {
    const { decoder, decode } = decoderOf(both);
    const books = both.slice(0, 1);
    expect(decoder.unsubscribeFrames?.(books, OPTIONS)).toEqual([]);
    decode(subscribed("book", 11, "tBTCUSD"), subscribed("trades", 12, "tBTCUSD"));
    const ended = '{"event":"unsubscribe","chanId":11}';
    expect(decoder.unsubscribeFrames?.(books, OPTIONS)).toEqual([ended]);
    decode('{"event":"unsubscribed","status":"OK","chanId":11}');
    expect(decoder.unsubscribeFrames?.(books, OPTIONS)).toEqual([]);
  });

  test("a heartbeat of a channel that nobody announced yet is one", () => {
    const { decode } = decoderOf(both);
    expect(decode(ALL_NUMBERED, '[99,"hb",1,1790000000123]').at(-1)).toEqual({ kind: "heartbeat" });
  });

  test("a message that comes late is dropped, since its hole was told when it was passed", () => {
    const { decode } = decoderOf(both);
    decode(ALL_NUMBERED, subscribed("book", 11, "tBTCUSD"), subscribed("trades", 12, "tBTCUSD"));
    decode("[11,[[10,1,1],[11,1,-1]],1,1790000000123]");
    const lost = decode('[12,"hb",3,1790000000124]').filter(({ kind }) => kind === "rejected");
    expect(lost).toMatchObject([
      { reason: "missing-data", channel: "book" },
      { reason: "missing-data", channel: "trades" },
    ]);
    expect(decode("[11,[10,1,2],2,1790000000123]")).toEqual([]);
    expect(decode('[12,"hb",4,1790000000125]')).toEqual([{ kind: "heartbeat" }]);
  });

  test("a channel that nobody announced puts the books in doubt once, not with every message", () => {
    const { decode } = decoderOf(both);
    decode(subscribed("book", 11, "tBTCUSD"), subscribed("trades", 12, "tBTCUSD"));
    const unknown = { kind: "rejected", reason: "unknown-message" };
    expect(decode("[99,[10,1,1]]")).toEqual([
      unknown,
      expect.objectContaining({ reason: "missing-data", channel: "book" }),
      expect.objectContaining({ reason: "missing-data", channel: "trades" }),
    ]);
    expect(decode("[99,[10,1,2]]", "[99,[10,0,1]]")).toEqual([unknown, unknown]);
    expect(decode("[98,[10,1,1]]")).toHaveLength(3);
  });

  test("a subscription that exists under an id that was not heard needs another connection", () => {
    const { decode } = decoderOf(both);
    const repeated = '{"event":"error","code":10301,"channel":"book","symbol":"tBTCUSD"}';
    expect(decode(repeated)).toMatchObject([{ kind: "reconnect-requested" }]);
    expect(decode(subscribed("book", 11, "tBTCUSD"), repeated).at(-1)).toEqual({
      kind: "subscribed",
      venueSymbol: "tBTCUSD",
      channel: "book",
    });
  });

  test("the venue's restart is a reason to reconnect", () => {
    const { decode } = decoderOf(both);
    expect(decode('{"event":"info","code":20051,"msg":"Stopping"}')).toMatchObject([
      { kind: "reconnect-requested" },
    ]);
  });
});
