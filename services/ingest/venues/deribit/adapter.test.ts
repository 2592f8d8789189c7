import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { PENDING_REQUESTS_MAX } from "../../reading/pending-requests.ts";
import { deribit } from "./adapter.ts";

function derived(name: string): Instrument {
  const instrument = deribit.deriveInstrument(name);
  if (instrument === undefined) throw new Error(`${name} is not derived`);
  return instrument;
}

function subscriptions(names: readonly string[], channels: readonly Channel[]): FeedSubscription[] {
  return names.flatMap((name) =>
    channels.map((channel) => ({ instrument: derived(name), channel })),
  );
}

describe("instruments", () => {
  test.each([
    [
      "BTC-PERPETUAL",
      { base: "BTC", quote: "USD", settle: "BTC", inverse: true, sizeUnit: "quote" },
    ],
    ["SOL_USDC-PERPETUAL", { base: "SOL", quote: "USDC", settle: "USDC", inverse: false }],
    ["ETH-6AUG21", { kind: "future", expiryTimeUs: Date.UTC(2021, 7, 6, 8) * 1000 }],
    ["BTC-24SEP21-8000-P", { kind: "option", strike: "8000", optionType: "put", inverse: false }],
    ["XRP_USDC-6NOV26-0d625-C", { strike: "0.625", symbol: "XRP-USDC-20261106-0.625-C" }],
    [
      "BTC-FS-25DEC26_PERP",
      {
        kind: "combo",
        symbol: "BTC-USD-FS-20261225_PERP",
        settle: "BTC",
        inverse: true,
        sizeUnit: "quote",
        expiryTimeUs: Date.UTC(2026, 11, 25, 8) * 1000,
      },
    ],
    [
      "BTC-FS-26MAR27_25DEC26",
      {
        symbol: "BTC-USD-FS-20270326_20261225",
        expiryTimeUs: Date.UTC(2026, 11, 25, 8) * 1000,
      },
    ],
    [
      "BTC-CS-25DEC26-100000_110000",
      {
        symbol: "BTC-USD-CS-20261225-100000_110000",
        settle: "BTC",
        inverse: false,
        sizeUnit: "base",
      },
    ],
    [
      "XRP_USDC-PCAL-6NOV26_13NOV26-0d625",
      { kind: "combo", symbol: "XRP-USDC-PCAL-20261106_20261113-0.625", settle: "USDC" },
    ],
  ])("%s says what it is", (name, fields) => {
    expect(derived(name)).toMatchObject(fields);
  });

  test.each([
    "BTC",
    "BTC-31FEB26",
    "BTC-25DEC26-1-X",
    "BTC-FS-PERP",
    "BTC-FS-31FEB26_PERP",
    "BTC-FS-25DEC26_",
    "BTC-F-25DEC26_PERP",
    "btc-PERPETUAL",
    "",
  ])("%j is none", (name) => {
    expect(deribit.deriveInstrument(name)).toBeUndefined();
  });

  test("a combo of futures is told by the list where its name does not say so", () => {
    const listed = (kind: string): string =>
      JSON.stringify({
        result: [{ instrument_name: "ETH-CUSTOM-25DEC26_26MAR27", kind, is_active: true }],
      });
    const unitOf = (kind: string): unknown =>
      deribit.parseInstruments(listed(kind), "")?.instruments[0]?.sizeUnit;
    expect(unitOf("future_combo")).toBe("quote");
    expect(unitOf("option_combo")).toBe("base");
  });
});

describe("connections", () => {
  test("leave out what an instrument cannot have", () => {
    const names = ["BTC_USDC", "BTC-25DEC26-100000-C", "BTC-PERPETUAL", "BTC-FS-25DEC26_PERP"];
    const wanted = subscriptions(names, ["funding", "mark-price", "liquidations", "quotes"]);
    const [plan] = deribit.planConnections(wanted, deribit.endpoints);
    const planned = plan?.subscriptions.map(
      ({ instrument, channel }) => `${instrument.kind} ${channel}`,
    );
    expect(planned).toEqual([
      "spot quotes",
      "option mark-price",
      "option liquidations",
      "option quotes",
      "perpetual funding",
      "perpetual mark-price",
      "perpetual liquidations",
      "perpetual quotes",
      "combo mark-price",
      "combo quotes",
    ]);
  });

  test("ask once for what several channels come by, and ask for heartbeats first", () => {
    const wanted = subscriptions(
      ["BTC-PERPETUAL"],
      ["trades", "liquidations", "ticker", "funding"],
    );
    const options = { requestId: 3, bookDepth: 10 };
    expect(deribit.subscribeFrames(wanted, options).map((frame) => JSON.parse(frame))).toEqual([
      {
        jsonrpc: "2.0",
        id: 3,
        method: "public/subscribe",
        params: { channels: ["trades.BTC-PERPETUAL.100ms", "ticker.BTC-PERPETUAL.100ms"] },
      },
    ]);
    expect(deribit.openingFrames?.(options).map((frame) => JSON.parse(frame))).toMatchObject([
      { id: 3, method: "public/set_heartbeat", params: { interval: 30 } },
    ]);
  });

  test.each([PENDING_REQUESTS_MAX - 1, PENDING_REQUESTS_MAX, PENDING_REQUESTS_MAX + 1])(
    "of %i requests under way only the last ones that are kept are known by name",
    (count) => {
      const catalog = new InstrumentCatalog({ venue: "deribit", instrumentsMax: 10 });
      const decoder = deribit.createDecoder({ catalog, bookDepth: 10 });
      const wanted = subscriptions(["BTC-PERPETUAL"], ["book"]);
      for (let requestId = 1; requestId <= count; requestId++) {
        for (const frame of deribit.subscribeFrames(wanted, { requestId, bookDepth: 10 })) {
          decoder.sent?.(frame);
        }
      }
      const events: FeedEvent[] = [];
      const answer = { jsonrpc: "2.0", id: 1, result: ["book.BTC-PERPETUAL.100ms"] };
      decoder.decode(JSON.stringify(answer), 1, (event) => events.push(event));
      const known = count <= PENDING_REQUESTS_MAX;
      expect(events.map(({ kind }) => kind)).toEqual([known ? "subscribed" : "heartbeat"]);
    },
  );
});
