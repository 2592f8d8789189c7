import type { Channel, Instrument } from "#core/instrument.ts";
import type { MeasuredVenue } from "#ingest/metrics.ts";
import { collisionOf } from "../process/publishers-watch.ts";
import type { HeardPublisher } from "../process/publishers-watch.ts";
import type { DoctorWatch, WatchedBook } from "./doctor-watch.ts";

/** The result of a check: as it should be, worth a look, or wrong. */
type Verdict = "ok" | "warn" | "fail";

/** One line of the report. */
export type Check = { readonly verdict: Verdict; readonly name: string; readonly text: string };

/** A clock that differs by more than this is worth a look: times are then hard to compare. */
export const CLOCK_SKEW_MS_MAX = 1_000;

/** How far ours is from the venue's clock. */
type ClockReading = {
  /** Positive if ours is ahead. */
  readonly skewMs: number;
  /** How long the reading took; the difference is exact to half of this. */
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

/**
 * The check of those who publish a venue already: whether they are in each other's way, and what an
 * ingestor of this shard would do among them.
 */
export function checkPublishers(heard: readonly HeardPublisher[], shard: string): Check {
  const name = "publishers";
  const problem = collisionOf(heard);
  if (problem !== undefined) return { verdict: "fail", name, text: problem };
  const leader = heard.find((one) => one.shard === shard && one.role === "leading");
  const others = heard.filter((one) => one.shard.split("/")[1] !== shard.split("/")[1]);
  if (others.length > 0) {
    const what = shard === "" ? "the whole venue" : `shard ${shard}`;
    const text = `an ingestor of ${what} would publish what others do, by shards of another count`;
    return { verdict: "fail", name, text };
  }
  const old = heard.find(({ role }) => role === "alone");
  if (old !== undefined) {
    const text = `${old.publisherId} publishes it and does not know of others: a second one collides`;
    return { verdict: "warn", name, text };
  }
  if (leader === undefined)
    return { verdict: "ok", name, text: "nobody: an ingestor would publish" };
  const spares = heard.filter((one) => one.shard === shard && one.role === "standing-by").length;
  const text = `${leader.publisherId}, with ${spares} standing by: another would stand by as well`;
  return { verdict: "ok", name, text };
}

/** The checks of a stream that was followed for a while. */
export function checkStream(followed: {
  readonly venue: MeasuredVenue;
  readonly watch: DoctorWatch;
  readonly channels: readonly Channel[];
  readonly instruments: readonly Instrument[];
  readonly startedUs: number;
  readonly seconds: number;
}): readonly Check[] {
  const { venue, watch, channels, instruments, startedUs, seconds } = followed;
  const checks = [checkConnections(venue), ...checkSubscriptions(venue)];
  if (channels.includes("book")) {
    for (const { symbol } of instruments) checks.push(checkBook(watch, symbol, startedUs));
    checks.push(checkProof(venue));
  }
  for (const channel of channels) {
    if (channel === "book") continue;
    const count = watch.events[channel] ?? 0;
    // Perhaps nobody traded. A venue that sends nothing at all is noticed by its books.
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

/** What is not served, one line for each, in words that say what to do about it. */
function checkSubscriptions({ subscriptions }: MeasuredVenue): readonly Check[] {
  return subscriptions
    .filter(({ trouble }) => trouble !== "")
    .map(({ channel, symbol, trouble }) => ({
      verdict: "fail",
      name: `${channel} ${symbol}`,
      text: trouble,
    }));
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
 * Instruments to try a venue with, where the user names none: two that are traded most, or the
 * first two of the list.
 */
export function chooseInstruments(all: readonly Instrument[]): readonly Instrument[] {
  const rank = ({ base, quote, kind }: Instrument): number => {
    const kinds = { perpetual: 0, spot: 0, future: 4, option: 8, combo: 12 };
    const bases = base === "BTC" ? 0 : base === "ETH" ? 1 : 16;
    return kinds[kind] + bases + (["USDT", "USD", "USDC"].includes(quote) ? 0 : 2);
  };
  return all.toSorted((a, b) => rank(a) - rank(b)).slice(0, 2);
}
