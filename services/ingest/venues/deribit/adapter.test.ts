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
  ])("%s says what it is", (name, fields) => {
    expect(derived(name)).toMatchObject(fields);
  });

  test.each(["BTC", "BTC-31FEB26", "BTC-FS-25DEC26_PERP", "BTC-25DEC26-1-X", "btc-PERPETUAL", ""])(
    "%j is none",
    (name) => {
      expect(deribit.deriveInstrument(name)).toBeUndefined();
    },
  );
});

describe("connections", () => {
  test("leave out what an instrument cannot have", () => {
    const names = ["BTC_USDC", "BTC-25DEC26-100000-C", "BTC-PERPETUAL"];
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
