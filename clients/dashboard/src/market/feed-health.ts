import type { StatusValues } from "@tickwire/client";

/** Worst first, so that a summary says the worst. */
const STATES = ["down", "gap", "stale", "resyncing", "syncing", "live"] as const;
export type FeedState = (typeof STATES)[number];

/** A venue's topics in one line. */
export type VenueHealth = {
  readonly venue: string;
  /** Undefined where nothing is told of any topic, as of candles that are made here. */
  readonly worst: FeedState | undefined;
  readonly live: number;
  readonly total: number;
  /** Of the topic that has been in the worst state the longest. */
  readonly reason: string;
  readonly sinceTimeUs: number;
};

/** The topics of one instrument in a few words. */
type InstrumentHealth = {
  readonly live: number;
  readonly total: number;
  readonly worst: StatusValues;
};

/** What is known of one venue. */
type VenueTopics = {
  /** By symbol. */
  readonly instruments: Map<string, InstrumentHealth>;
  /** Symbols of the pages since the first one. */
  readonly round: Set<string>;
  /** Nobody publishes any part of it. */
  isDown: boolean;
};

/** One page of a venue. */
type StatusPage = {
  readonly venue: string;
  /** Every topic of the instruments that it is about. */
  readonly statuses: readonly StatusValues[];
  /** Nothing comes after it: what no page had is gone. */
  readonly isLast: boolean;
};

/**
 * How the topics of each venue are. A venue of 10,000 instruments is asked page by page, a few of
 * them each time, so that what is known of one may be as old as a round.
 */
export class StatusBoard {
  readonly #venues = new Map<string, VenueTopics>();

  put({ venue, statuses, isLast }: StatusPage): void {
    const { instruments, round } = this.#of(venue);
    const bySymbol = new Map<string, StatusValues[]>();
    for (const status of statuses) {
      const list = bySymbol.get(status.symbol);
      if (list === undefined) bySymbol.set(status.symbol, [status]);
      else list.push(status);
    }
    for (const [symbol, list] of bySymbol) {
      round.add(symbol);
      instruments.set(symbol, instrumentHealth(list));
    }
    if (!isLast) return;
    for (const symbol of instruments.keys()) if (!round.has(symbol)) instruments.delete(symbol);
    round.clear();
  }

  /** Whether nobody publishes any part of a venue, which holds for all of it at once. */
  setDown(venue: string, isDown: boolean): void {
    this.#of(venue).isDown = isDown;
  }

  /** The worst of an instrument's topics; undefined where nothing is known of any. */
  stateOf({ venue, symbol }: Pick<StatusValues, "venue" | "symbol">): FeedState | undefined {
    const known = this.#venues.get(venue);
    if (known?.isDown === true) return "down";
    return known?.instruments.get(symbol)?.worst.state;
  }

  /** One line for each venue, by name. */
  venues(): VenueHealth[] {
    return [...this.#venues]
      .filter(([, { instruments }]) => instruments.size > 0)
      .map(([venue, { instruments }]) => healthOf(venue, instruments.values()))
      .sort((a, b) => (a.venue < b.venue ? -1 : 1));
  }

  #of(venue: string): VenueTopics {
    let known = this.#venues.get(venue);
    if (known === undefined) {
      known = { instruments: new Map(), round: new Set(), isDown: false };
      this.#venues.set(venue, known);
    }
    return known;
  }
}

/** Of at least one topic. */
function instrumentHealth(statuses: readonly StatusValues[]): InstrumentHealth {
  const worst = statuses.reduce((found, status) => (isWorse(status, found) ? status : found));
  const live = statuses.filter(({ state }) => state === "live").length;
  return { live, total: statuses.length, worst };
}

function healthOf(venue: string, instruments: Iterable<InstrumentHealth>): VenueHealth {
  let worst: StatusValues | undefined;
  let [live, total] = [0, 0];
  for (const one of instruments) {
    live += one.live;
    total += one.total;
    if (worst === undefined || isWorse(one.worst, worst)) worst = one.worst;
  }
  return {
    venue,
    worst: worst?.state,
    live,
    total,
    reason: worst?.reason ?? "",
    sinceTimeUs: worst?.sinceTimeUs ?? 0,
  };
}

function isWorse(a: StatusValues, b: StatusValues): boolean {
  const difference = STATES.indexOf(a.state) - STATES.indexOf(b.state);
  return difference === 0 ? a.sinceTimeUs < b.sinceTimeUs : difference < 0;
}

const SAMPLES_MAX = 512;
/** A page that is not called for so long stood still: what came meanwhile waited in the browser. */
const STOOD_STILL_MS = 5_000;

/** What this page saw of one venue: how old events are when they come, how many, and gaps. */
export class VenueMeter {
  readonly #samplesMs: number[] = [];
  #next = 0;
  #events = 0;
  #eventsAtMark = 0;
  #markMs: number | undefined;
  #stoodStill = false;
  eventsPerSecond = 0;
  gaps = 0;

  /** `delayMs` is undefined where the venue gives no time. */
  observe(delayMs: number | undefined): void {
    this.#events += 1;
    if (delayMs === undefined) return;
    this.#samplesMs[this.#next] = delayMs;
    this.#next = (this.#next + 1) % SAMPLES_MAX;
  }

  /** Called about once a second, with the time of a clock that nobody sets. */
  mark(nowMs: number): void {
    this.#forgetWaits(nowMs);
    if (this.#markMs !== undefined && nowMs > this.#markMs) {
      const events = this.#events - this.#eventsAtMark;
      this.eventsPerSecond = (events * 1_000) / (nowMs - this.#markMs);
    }
    this.#markMs = nowMs;
    this.#eventsAtMark = this.#events;
  }

  /** Delays of what waited in the browser are none of the venue's; it may take a second to come. */
  #forgetWaits(nowMs: number): void {
    const stoodStill = this.#markMs !== undefined && nowMs - this.#markMs > STOOD_STILL_MS;
    if (stoodStill || this.#stoodStill) {
      this.#samplesMs.length = 0;
      this.#next = 0;
    }
    this.#stoodStill = stoodStill;
  }

  /** Of the last 512 events that had a time; undefined if none had. */
  delayMs(share: number): number | undefined {
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}
