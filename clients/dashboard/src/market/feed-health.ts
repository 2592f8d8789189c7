import type { StatusValues } from "@tickwire/client";

/** Worst first, so that a summary says the worst. */
const STATES = ["down", "gap", "stale", "resyncing", "syncing", "live"] as const;
export type FeedState = (typeof STATES)[number];

/** A venue's topics in one line. */
export type VenueHealth = {
  readonly venue: string;
  readonly worst: FeedState;
  readonly live: number;
  readonly total: number;
  /** Of the topic that has been in the worst state the longest. */
  readonly reason: string;
  readonly sinceTimeUs: number;
};

/** One line for each venue, by name. */
export function healthByVenue(statuses: Iterable<StatusValues>): VenueHealth[] {
  const venues = new Map<string, StatusValues[]>();
  for (const status of statuses) {
    const list = venues.get(status.venue);
    if (list === undefined) venues.set(status.venue, [status]);
    else list.push(status);
  }
  return [...venues]
    .map(([venue, list]) => healthOf(venue, list))
    .sort((a, b) => (a.venue < b.venue ? -1 : 1));
}

function healthOf(venue: string, statuses: readonly StatusValues[]): VenueHealth {
  let worst: StatusValues | undefined;
  let live = 0;
  for (const status of statuses) {
    if (status.state === "live") live += 1;
    if (worst === undefined || isWorse(status, worst)) worst = status;
  }
  return {
    venue,
    worst: worst?.state ?? "syncing",
    live,
    total: statuses.length,
    reason: worst?.reason ?? "",
    sinceTimeUs: worst?.sinceTimeUs ?? 0,
  };
}

function isWorse(a: StatusValues, b: StatusValues): boolean {
  const difference = STATES.indexOf(a.state) - STATES.indexOf(b.state);
  return difference === 0 ? a.sinceTimeUs < b.sinceTimeUs : difference < 0;
}

const SAMPLES_MAX = 512;

/** What this page saw of one venue: how old events are when they come, how many, and gaps. */
export class VenueMeter {
  readonly #samplesMs: number[] = [];
  #next = 0;
  #events = 0;
  #eventsAtMark = 0;
  #markMs: number | undefined;
  eventsPerSecond = 0;
  gaps = 0;

  /** `delayMs` is undefined where the venue gives no time. */
  observe(delayMs: number | undefined): void {
    this.#events += 1;
    if (delayMs === undefined) return;
    this.#samplesMs[this.#next] = delayMs;
    this.#next = (this.#next + 1) % SAMPLES_MAX;
  }

  /** Called about once a second. */
  mark(nowMs: number): void {
    if (this.#markMs !== undefined && nowMs > this.#markMs) {
      const events = this.#events - this.#eventsAtMark;
      this.eventsPerSecond = (events * 1_000) / (nowMs - this.#markMs);
    }
    this.#markMs = nowMs;
    this.#eventsAtMark = this.#events;
  }

  /** Of the last 512 events that had a time; undefined if none had. */
  delayMs(share: number): number | undefined {
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}
