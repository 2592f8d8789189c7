import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { PublisherCounters } from "#publish/publisher.ts";
import type { CandleDesk } from "./candles/candle-desk.ts";
import type { ConsolidatedDesk } from "./consolidated/consolidated-desk.ts";
import type { MarketReader } from "./reading/market-reader.ts";

/** What a deriver shows to the metrics. */
type MeasuredDerive = {
  readonly counters: PublisherCounters;
  readonly reader: Pick<MarketReader, "topics">;
  /** Undefined if none are made. */
  readonly candles: Pick<CandleDesk, "counters" | "instruments" | "leftOut"> | undefined;
  readonly consolidated: Pick<ConsolidatedDesk, "instruments" | "sources">;
};

type Reading = readonly [name: string, help: string, read: (parts: MeasuredDerive) => number];

const COUNTERS: readonly Reading[] = [
  ["events", "Events that were published.", ({ counters }) => counters.events],
  ["batches", "Batches that the bus took.", ({ counters }) => counters.batches],
  [
    "publish_failures",
    "Events that the bus did not take.",
    ({ counters }) => counters.failures.reduce((sum, { events }) => sum + events, 0),
  ],
  ["trades", "Trades that candles were made of.", ({ candles }) => candles?.counters.trades ?? 0],
  [
    "trades_too_late",
    "Trades that came when their candle was over for good.",
    ({ candles }) => candles?.counters.tradesTooLate ?? 0,
  ],
  [
    "candles_closed",
    "Candles that were made and are over.",
    ({ candles }) => candles?.counters.candlesClosed ?? 0,
  ],
  [
    "candles_corrected",
    "Closed candles that were told once more, with what came late.",
    ({ candles }) => candles?.counters.candlesCorrected ?? 0,
  ],
  [
    "candles_incomplete",
    "Candles that were closed without some of their trades.",
    ({ candles }) => candles?.counters.candlesIncomplete ?? 0,
  ],
];

const GAUGES: readonly Reading[] = [
  ["topics_read", "Topics that are read.", ({ reader }) => reader.topics],
  [
    "candle_instruments",
    "Instruments whose candles are made.",
    ({ candles }) => candles?.instruments ?? 0,
  ],
  [
    "candle_instruments_left_out",
    "Instruments beyond derive.candles.instrumentsMax.",
    ({ candles }) => candles?.leftOut ?? 0,
  ],
  [
    "consolidated_instruments",
    "Assets that are consolidated.",
    ({ consolidated }) => consolidated.instruments,
  ],
  [
    "sources",
    "Sources of consolidated instruments.",
    ({ consolidated }) => consolidated.sources.followed,
  ],
  [
    "sources_set_aside",
    "Sources whose quotes are not used now.",
    ({ consolidated }) => consolidated.sources.setAside,
  ],
  [
    "history_bytes",
    "Memory of the batches that are kept for gateways which missed some.",
    ({ counters }) => counters.historyBytes,
  ],
];

/** Registers every metric of the deriver. */
export function registerDeriveMetrics(registry: Registry, parts: MeasuredDerive): void {
  for (const [name, help, read] of COUNTERS) {
    const counter: Counter = new Counter({
      name: `tickwire_derive_${name}_total`,
      help,
      registers: [registry],
      collect: () => {
        counter.reset();
        counter.inc(read(parts));
      },
    });
  }
  for (const [name, help, read] of GAUGES) {
    const gauge: Gauge = new Gauge({
      name: `tickwire_derive_${name}`,
      help,
      registers: [registry],
      collect: () => gauge.set(read(parts)),
    });
  }
}
