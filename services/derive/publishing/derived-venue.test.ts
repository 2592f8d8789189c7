import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { announceSubject } from "#bus/subject.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle, MarketEvent } from "#core/market-event.ts";
import { HeardClaims } from "#publish/leadership/claims.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { DerivedVenue } from "./derived-venue.ts";

const HEARTBEAT_MS = 100;
const INSTRUMENT: Instrument = {
  venue: "consolidated",
  symbol: "BTC-USD",
  venueSymbol: "BTC-USD",
  kind: "spot",
  base: "BTC",
  quote: "USD",
  settle: "USD",
  inverse: false,
};

/** One deriver as far as publishing goes, on a clock of its own. */
class Deriver {
  readonly clock = new ManualClock(1_000_000);
  readonly venue: DerivedVenue;

  constructor(bus: MemoryBus, publisherId: string, claims?: HeardClaims) {
    this.venue = new DerivedVenue({
      bus,
      clock: this.clock,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      publisherId,
      newUuid: () => "00000000-0000-4000-8000-000000000000",
      counters: createPublisherCounters(),
      latencies: createPublishLatencies(),
      historyBudget: new ByteBudget({ bytesMax: 1_000_000 }),
      limits: PUBLISH_LIMITS_DEFAULTS,
      announceIntervalMs: 1_000,
      heartbeatMs: HEARTBEAT_MS,
      schedule: (callback) => void setImmediate(callback),
      claimsOf: claims && (() => claims),
      shard: undefined,
      venue: "consolidated",
    });
  }

  topic(kind: "quote" | "candle") {
    return this.venue.publication.publisher.topic(INSTRUMENT, kind);
  }
}

/** Lets time pass for these, in steps in which what was said is heard. */
async function pass(milliseconds: number, ...derivers: readonly Deriver[]): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += HEARTBEAT_MS / 4) {
    for (const { clock } of derivers) clock.advance(HEARTBEAT_MS / 4);
    for (let turns = 0; turns < 4; turns += 1) await turn();
  }
}

function quote(bid: number): MarketEvent {
  return {
    kind: "quote",
    instrument: INSTRUMENT,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    priceScale: 0,
    sizeScale: 0,
    bidPriceMantissa: bid,
    bidSizeMantissa: 1,
    askPriceMantissa: bid + 1,
    askSizeMantissa: 1,
  } as MarketEvent;
}

function candle(openTimeUs: number, tradeCount: number, marks: Partial<Candle> = {}): Candle {
  return {
    kind: "candle",
    instrument: INSTRUMENT,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    intervalMs: 60_000,
    openTimeUs,
    open: "1",
    high: "2",
    low: "1",
    close: "2",
    volume: String(tradeCount),
    quoteVolume: undefined,
    tradeCount,
    closed: false,
    built: true,
    incomplete: false,
    ...marks,
  };
}

/** One that leads, and one that stands by and has counted the second candle like this. */
async function takeover(own: Partial<Candle> | undefined) {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const one = new Deriver(bus, "one", new HeardClaims());
  one.venue.add(INSTRUMENT, ["quotes", "candles"], [60_000]);
  await pass(300, one);
  for (const event of [quote(5), candle(0, 8)]) one.venue.emit(event);
  await pass(100, one);
  const two = new Deriver(bus, "two", new HeardClaims());
  two.venue.add(INSTRUMENT, ["quotes", "candles"], [60_000]);
  await pass(1_000, one, two);
  for (const event of [candle(0, 9, { closed: true }), candle(60_000_000, 4)]) {
    one.venue.emit(event);
  }
  // What began before it was there it has a part of, as it says.
  two.venue.emit(quote(5));
  two.venue.emit(candle(0, 2, { closed: true, incomplete: true }));
  if (own !== undefined) two.venue.emit(candle(60_000_000, 4, own));
  await pass(200, one, two);
  one.venue.emit(candle(60_000_000, 5));
  if (own !== undefined) two.venue.emit(candle(60_000_000, 5, own));
  await pass(200, one, two);
  // The first is gone.
  await pass(HEARTBEAT_MS * 8, two);
  expect(two.venue.publication.state).toBe("leading");
  return two;
}

test("another deriver goes on where the one before ended, if it has counted the same", async () => {
  const two = await takeover({});
  expect(two.topic("quote")?.continued).toMatchObject({ sequence: 1 });
  expect(two.topic("candle")?.continued).toMatchObject({ sequence: 4 });
  // There was nothing to correct, and the whole candle of before stays.
  expect(two.topic("candle")?.sequence).toBe(4);
  expect(two.topic("candle")?.candleOf(60_000, 0)).toMatchObject({ tradeCount: 9 });
  two.venue.close();
});

test.each([
  { what: "a part of the candle that is under way", own: { incomplete: true, tradeCount: 1 } },
  { what: "nothing of it", own: undefined },
])("where it has $what, its candles begin anew, and quotes go on", async ({ own }) => {
  const two = await takeover(own);
  expect(two.topic("candle")?.continued).toBeUndefined();
  expect(two.topic("quote")?.continued).toMatchObject({ sequence: 1 });
  expect(two.topic("candle")?.candleOf(60_000, 0)).toMatchObject({ tradeCount: 9 });
  two.venue.close();
});

test("one that is a trade behind says nothing older than what was said", async () => {
  const two = await takeover({ tradeCount: 3, volume: "3" });
  expect(two.topic("candle")?.continued).toMatchObject({ sequence: 4 });
  expect(two.topic("candle")?.sequence).toBe(4);
  two.venue.emit(candle(60_000_000, 6));
  await pass(HEARTBEAT_MS, two);
  expect(two.topic("candle")?.sequence).toBe(5);
  two.venue.close();
});

test("a derived venue is announced from its first instrument on", () => {
  const deliveries: (() => void)[] = [];
  const bus = new MemoryBus({
    clock: new ManualClock(),
    schedule: (deliver) => void deliveries.push(deliver),
  });
  let announcements = 0;
  bus.subscribe(announceSubject("consolidated"), () => (announcements += 1));
  const deliver = (): void => {
    for (const next of deliveries.splice(0)) next();
  };
  const { venue, clock } = new Deriver(bus, "derive-1");
  clock.advance(5_000);
  deliver();
  expect(announcements).toBe(0);
  venue.add(INSTRUMENT, ["quotes"]);
  deliver();
  expect(announcements).toBeGreaterThan(0);
  venue.close();
});
