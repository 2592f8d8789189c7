import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { Candle, MarketEvent } from "#core/market-event.ts";
import { createFakeAdapter, fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { RawBook } from "../feed/feed-adapter.ts";
import { createVenueCounters } from "./venue-counters.ts";
import { VenueDriver } from "./venue-driver.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

class Session {
  readonly asked: string[] = [];

  resyncBook({ symbol }: Instrument): void {
    this.asked.push(symbol);
  }
}

function create(options = { endsUnsaid: false }) {
  const clock = new ManualClock(1_700_000_000_000_000);
  const events: MarketEvent[] = [];
  const driver = new VenueDriver<Session>({
    adapter: { ...createFakeAdapter(), ...(options.endsUnsaid ? { candlesEndUnsaid: true } : {}) },
    bookDepth: 10,
    clock,
    limits: { bufferedDeltasMax: 10, recentTradeIdsMax: 10 },
    counters: createVenueCounters(),
    emit: (event) => events.push(event),
  });
  const times = () => events.map(({ receivedTimeUs }) => receivedTimeUs);
  return { clock, driver, events, times };
}

function delta(instrument: Instrument, receivedTimeUs: number): RawBook {
  return {
    kind: "raw-book",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs,
    snapshot: false,
    source: "in-band",
    firstUpdateId: 5,
    lastUpdateId: 5,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [100], sizes: [1] },
    asks: { prices: [], sizes: [] },
  };
}

test("a demand goes to the session that carries the book, the last one that was assigned", () => {
  const { driver } = create();
  const [first, second] = [new Session(), new Session()];
  driver.assignBooks(first, [
    { instrument: A, channel: "book" },
    { instrument: B, channel: "trades" },
  ]);
  driver.assignBooks(second, [{ instrument: B, channel: "book" }]);
  driver.onData(delta(A, 1));
  driver.onData(delta(B, 1));
  expect([first.asked, second.asked]).toEqual([["A"], ["B"]]);
  driver.assignBooks(second, [{ instrument: A, channel: "book" }]);
  expect(driver.bookSessionOf(A)).toBe(second);
});

test("a demand for a book that no session carries is nobody's", () => {
  const { driver } = create();
  expect(() => driver.onData(delta(A, 1))).not.toThrow();
  expect(driver.bookSessionOf(A)).toBeUndefined();
});

test("what follows from an event has its time, unless it was held back since", () => {
  const { driver, times } = create();
  driver.onData(delta(A, 77));
  driver.onData(delta(B, 77), 99);
  expect(times()).toEqual([77, 99]);
});

test("what is told without a time of its own has the clock's", () => {
  const { driver, clock, times } = create();
  driver.onChannelState(A, "trades", "live", "data");
  clock.advance(5);
  driver.onRejected("missing-data", A, "trades");
  const startUs = clock.nowUs() - 5_000;
  expect(times()).toEqual([startUs, startUs + 5_000, startUs + 5_000]);
});

describe("a candle that the venue does not close", () => {
  const OPEN_US = 1_699_999_980_000_000;
  const candle: Candle = {
    kind: "candle",
    instrument: A,
    venueTimeUs: 1_700_000_000_000_000,
    receivedTimeUs: 1_700_000_000_000_000,
    intervalMs: 60_000,
    openTimeUs: OPEN_US,
    open: "1",
    high: "2",
    low: "1",
    close: "2",
    volume: "5",
    quoteVolume: undefined,
    tradeCount: undefined,
    closed: false,
  };
  const closed = (events: readonly MarketEvent[]): boolean[] =>
    events.flatMap((event) => (event.kind === "candle" ? [event.closed] : []));

  test("is closed by a timer, which ends with it", () => {
    const { driver, events, clock } = create({ endsUnsaid: true });
    driver.onData(candle);
    clock.advance(49_000);
    expect(closed(events)).toEqual([false]);
    clock.advance(2_000);
    expect(closed(events)).toEqual([false, true]);
    expect(clock.pending).toBe(0);
  });

  test("is left to a venue that closes its candles itself", () => {
    const { driver, events, clock } = create();
    driver.onData(candle);
    clock.advance(3_600_000);
    expect(closed(events)).toEqual([false]);
  });

  test("is not closed while its channel is interrupted, nor after the end", () => {
    const { driver, events, clock } = create({ endsUnsaid: true });
    driver.onData(candle);
    driver.onChannelState(A, "candles", "down", "disconnected");
    driver.onData({ ...candle, instrument: B });
    driver.close();
    clock.advance(3_600_000);
    expect(closed(events)).toEqual([false, false]);
    expect(clock.pending).toBe(0);
  });
});
