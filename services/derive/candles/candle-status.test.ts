import { expect, test } from "vitest";
import type { StatusRow } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import type { Status } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { CandleStatus } from "./candle-status.ts";

const INSTRUMENT = { ...fakeInstrument("A-USD"), venue: "fake-candles" };

function create(sources: readonly Channel[]) {
  const told: Status[] = [];
  const status = new CandleStatus({
    instrument: INSTRUMENT,
    sources,
    emit: (event) => void told.push(event),
  });
  return { status, told };
}

function said(channel: Channel, state: StatusRow["state"], sinceTimeUs = 5): StatusRow {
  const reason = `${channel} are ${state}`;
  return { venueTimeUs: 1, receivedTimeUs: 9, channel, state, reason, sinceTimeUs };
}

test("candles are as the trades that they are made of", () => {
  const { status, told } = create(["trades"]);
  status.take(said("trades", "live"));
  status.take(said("trades", "gap", 7));
  const common = { kind: "status", instrument: INSTRUMENT, channel: "candles" };
  const times = { venueTimeUs: undefined, receivedTimeUs: 9 };
  expect(told).toEqual([
    { ...common, ...times, state: "live", reason: "trades are live", sinceTimeUs: 5 },
    { ...common, ...times, state: "gap", reason: "trades are gap", sinceTimeUs: 7 },
  ]);
});

test("of trades and of the venue's own candles the worse counts", () => {
  const { status, told } = create(["trades", "candles"]);
  status.take(said("candles", "live"));
  status.take(said("trades", "stale"));
  status.take(said("candles", "down"));
  status.take(said("candles", "live", 6));
  status.take(said("trades", "live"));
  expect(told.map(({ state }) => state)).toEqual(["live", "stale", "down", "stale", "live"]);
});

test("what is said again, and what is said of other channels, is not told", () => {
  const { status, told } = create(["trades"]);
  status.take(said("trades", "live"));
  status.take(said("trades", "live"));
  status.take(said("book", "down"));
  expect(told).toHaveLength(1);
});
