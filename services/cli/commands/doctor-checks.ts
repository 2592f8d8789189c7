import type { Channel, Instrument } from "#core/instrument.ts";
import type { MeasuredVenue } from "#ingest/metrics.ts";
import type { DoctorWatch, WatchedBook } from "./doctor-watch.ts";

/** How a check went: as it should, worth a look, or wrong. */
type Verdict = "ok" | "warn" | "fail";

/** One line of the report. */
export type Check = { readonly verdict: Verdict; readonly name: string; readonly text: string };

/** A clock this far from ours is worth a look: times of events are then hard to compare. */
export const CLOCK_SKEW_MS_MAX = 1_000;

/** How far ours is from the venue's clock. */
type ClockReading = {
  /** Positive if ours is ahead. */
  readonly skewMs: number;
  /** The reading is right to half of it. */
  readonly roundTripMs: number;
};

/** The check of a clock reading. */
export function checkClock({ skewMs, roundTripMs }: ClockReading): Check {
  const off = Math.abs(skewMs);
  const direction = skewMs >= 0 ? "ahead" : "behind";
  return {
    verdict: off > CLOCK_SKEW_MS_MAX + roundTripMs / 2 ? "warn" : "ok",
    name: "clock",
    text: `ours is ${off.toFixed(0)} ms ${direction} (round trip ${roundTripMs.toFixed(0)} ms)`,
  };
}

/** What can be said of the stream after it was followed for a while. */
export function checkStream(followed: {
  readonly venue: MeasuredVenue;
  readonly watch: DoctorWatch;
  readonly channels: readonly Channel[];
  readonly instruments: readonly Instrument[];
  readonly startedUs: number;
  readonly seconds: number;
}): readonly Check[] {
  const { venue, watch, channels, instruments, startedUs, seconds } = followed;
  const checks = [checkConnections(venue)];
  if (channels.includes("book")) {
    for (const { symbol } of instruments) checks.push(checkBook(watch, symbol, startedUs));
    checks.push(checkProof(venue));
  }
  for (const channel of channels) {
    if (channel === "book") continue;
    const count = watch.events[channel] ?? 0;
    // Nobody may have traded; a venue that is silent altogether shows in its books.
    const text = count > 0 ? `${count} events` : `nothing in ${seconds} s (it may be quiet)`;
    checks.push({ verdict: count > 0 ? "ok" : "warn", name: channel, text });
  }
  checks.push(checkRejected(venue), checkLatency(watch));
  if (watch.missing > 0) {
    const text = `${watch.missing} sequences did not follow`;
    checks.push({ verdict: "fail", name: "delivery", text });
  }
  return checks;
}

function checkConnections({ connections, connectionsOpen, counters }: MeasuredVenue): Check {
  const lost = counters.disconnects > 0 ? `, ${counters.disconnects} lost` : "";
  const refused = counters.refusals > 0 ? `, ${counters.refusals} subscriptions refused` : "";
  const whole = connections > 0 && connectionsOpen === connections;
  return {
    verdict: !whole || counters.refusals > 0 ? "fail" : counters.disconnects > 0 ? "warn" : "ok",
    name: "connections",
    text: `${connectionsOpen} of ${connections} open, ${counters.frames} messages${lost}${refused}`,
  };
}

function checkBook(watch: DoctorWatch, symbol: string, startedUs: number): Check {
  const book: WatchedBook | undefined = watch.books.find((each) => each.symbol === symbol);
  const best = watch.bestOf(symbol);
  const name = `book ${symbol}`;
  if (book === undefined || book.state !== "live") {
    const state = book === undefined ? "no message" : `${book.state} (${book.reason})`;
    return { verdict: "fail", name, text: `not in sync: ${state}` };
  }
  if (best === undefined) return { verdict: "warn", name, text: "in sync, with an empty side" };
  if (best.crossed) return { verdict: "fail", name, text: `crossed: ${best.text}` };
  const afterMs = ((book.liveSinceUs ?? startedUs) - startedUs) / 1000;
  const text = `in sync after ${afterMs.toFixed(0)} ms, ${book.events} messages, best ${best.text}`;
  return { verdict: "ok", name, text };
}

function checkProof({ counters }: MeasuredVenue): Check {
  const { gaps, resyncs, checksumsPassed, checksumsFailed } = counters;
  const text =
    `${gaps} gaps, ${resyncs} resyncs, checksums ${checksumsPassed} passed, ` +
    `${checksumsFailed} failed`;
  const verdict = checksumsFailed > 0 ? "fail" : gaps + resyncs > 0 ? "warn" : "ok";
  return { verdict, name: "proof", text };
}

function checkRejected({ counters }: MeasuredVenue): Check {
  const rejected = Object.entries(counters.rejected);
  const text =
    rejected.length === 0
      ? "nothing"
      : rejected.map(([reason, count]) => `${reason} ${count}`).join(", ");
  return { verdict: rejected.length === 0 ? "ok" : "warn", name: "rejected", text };
}

function checkLatency(watch: DoctorWatch): Check {
  const median = watch.latencyMedianUs;
  const text =
    median === undefined
      ? "the venue tells no times"
      : `${(median / 1000).toFixed(1)} ms from the venue's clock to ours, median`;
  return { verdict: "ok", name: "latency", text };
}

/**
 * Instruments to try a venue with, where none is named: two that are surely traded, or the first
 * two there are.
 */
export function chooseInstruments(all: readonly Instrument[]): readonly Instrument[] {
  const rank = ({ base, quote, kind }: Instrument): number => {
    const kinds = { perpetual: 0, spot: 0, future: 4, option: 8 };
    const bases = base === "BTC" ? 0 : base === "ETH" ? 1 : 16;
    return kinds[kind] + bases + (["USDT", "USD", "USDC"].includes(quote) ? 0 : 2);
  };
  return all.toSorted((a, b) => rank(a) - rank(b)).slice(0, 2);
}
