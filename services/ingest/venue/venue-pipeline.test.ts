import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createVenueCounters } from "./venue-counters.ts";
import { VenuePipeline } from "./venue-pipeline.ts";
import { coinbase } from "../venues/coinbase/adapter.ts";

const INSTRUMENT = coinbase.deriveInstrument("BTC-USD") as Instrument;

function createPipeline() {
  const events: MarketEvent[] = [];
  const counters = createVenueCounters();
  const pipeline = new VenuePipeline({
    adapter: coinbase,
    clock: new ManualClock(),
    bookDepth: 10,
    counters,
    bufferedDeltasMax: 10,
    recentTradeIdsMax: 10,
    emit: (event) => events.push(event),
  });
  const states = () =>
    events.flatMap((event) =>
      event.kind === "status" ? [`${event.channel} ${event.state} ${event.reason}`] : [],
    );
  return { pipeline, counters, states };
}

describe("what a venue did not deliver", () => {
  test("a hole in the trade ids is told on the trades channel and counted", () => {
    const { pipeline, counters, states } = createPipeline();
    pipeline.onChannelState(INSTRUMENT, "trades", "live", "data");
    pipeline.onRejected("missing-data", INSTRUMENT, "trades");
    expect(states()).toEqual([
      "trades live data",
      "trades gap missing-data",
      "trades live data-resumed",
    ]);
    expect(counters.gaps).toBe(1);
    expect(counters.rejected["missing-data"]).toBe(1);
  });

  test("a rejected trade is no hole", () => {
    const { pipeline, counters, states } = createPipeline();
    pipeline.onRejected("bad-decimal", INSTRUMENT, "trades");
    expect(states()).toEqual([]);
    expect(counters.gaps).toBe(0);
  });
});
