import { formatDecimal } from "@tickwire/proto/model";
import type { MarketEvent, Trade } from "#core/market-event.ts";

/** Events that stand for themselves: each is published once, and none may be left out. */
export type Occurrence = Trade | Extract<MarketEvent, { readonly kind: "liquidation" }>;

/** How much a matcher keeps, of one topic. */
type MatcherLimits = {
  /** Events of our own feed that the leader has not published yet. */
  readonly pendingMax: number;
  /** Events that the leader has published and our own feed has not brought yet. */
  readonly aheadMax: number;
};

const MATCHER_LIMITS: MatcherLimits = { pendingMax: 4_096, aheadMax: 4_096 };

/**
 * The leader publishes what it gets within milliseconds: what it has not by then, although it was
 * heard since, it never had. One that cannot be heard proves nothing, however long that lasts.
 */
export const PENDING_AGE_MS_MAX = 30_000;
/** A feed that is further behind than this is not live. */
export const AHEAD_AGE_MS_MAX = 60_000;
/**
 * Both feeds have run side by side for so long, by the last word of the leader, before it counts as
 * proven that nothing lies between them.
 */
export const OVERLAP_MS_MIN = 1_000;

/** Memory that matchers of all topics share. */
export class PendingBudget {
  readonly eventsMax: number;
  #events = 0;

  constructor(options: { readonly eventsMax: number }) {
    this.eventsMax = options.eventsMax;
  }

  get events(): number {
    return this.#events;
  }

  take(): boolean {
    if (this.#events >= this.eventsMax) return false;
    this.#events += 1;
    return true;
  }

  giveBack(count: number): void {
    this.#events -= count;
  }
}

type Pending = { readonly event: Occurrence; readonly atMs: number };
type Ahead = { count: number; atMs: number };

/**
 * Compares the occurrences of our own feed with those that the leader publishes, one by one: by the
 * venue's id, or by content where it gives none. What is left over when the leader is gone is
 * exactly what it did not publish. It does not matter which of the two feeds is ahead.
 *
 * Invariants:
 * 1. an event is pending or ahead, never both (`own`, `published`);
 * 2. no list is longer than its limit;
 * 3. nothing counts as proven across a hole in either feed (`interrupted`, `begin`).
 */
export class EventMatcher {
  readonly #limits: MatcherLimits;
  readonly #budget: PendingBudget;
  /** By key; several of one content wait in order. */
  readonly #pending = new Map<string, Pending[]>();
  readonly #ahead = new Map<string, Ahead>();
  #pendingCount = 0;
  /** Since when both feeds are without a hole; undefined while one is not. */
  #wholeSinceMs: number | undefined;
  /** The venue's id of the first trade that our feed has brought since then. */
  #firstId: string | undefined;
  #dropped = 0;
  /** When the leader's last event was heard. */
  #heardAtMs = -Infinity;
  /** The venue's time of the first event that the leader published since `begin`. */
  #heardFromUs: number | undefined;
  #hasBegun = false;

  constructor(budget: PendingBudget, limits: MatcherLimits = MATCHER_LIMITS) {
    this.#budget = budget;
    this.#limits = limits;
  }

  /** Events that would be published if the leader were gone. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** Events that the leader has published and our feed may still bring. */
  get aheadCount(): number {
    return this.#ahead.size;
  }

  /** Events of our own feed that were too many or too old, since the last time it was asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Our own feed of the topic is live from now on, or still. */
  live(nowMs: number): void {
    if (this.#wholeSinceMs !== undefined) return;
    this.#wholeSinceMs = nowMs;
    this.#firstId = undefined;
  }

  /** Something is or may be missing in our own feed, until `live`. */
  interrupted(): void {
    this.#wholeSinceMs = undefined;
  }

  /**
   * From now on the leader is heard without a hole. What was before proves nothing: what our feed
   * brings of the time before the leader's next event may have been published without our hearing.
   */
  begin(nowMs: number): void {
    this.#clearPending();
    this.#unmatchable(nowMs);
    this.#hasBegun = true;
    this.#heardFromUs = undefined;
  }

  /**
   * Our own feed brought it. Old trades that a venue repeats are only taken where nobody leads, who
   * would have had them or would fill them in itself.
   */
  own(event: Occurrence, nowMs: number, isLed: boolean): void {
    const key = keyOf(event);
    if (key === undefined) {
      this.#unmatchable(nowMs);
      return;
    }
    if (event.kind === "trade" && !event.historical) this.#firstId ??= event.tradeId;
    if (this.#wasAhead(key)) return;
    if (isLed && event.kind === "trade" && event.historical) return;
    if (isLed && this.#isOfBefore(event)) return;
    this.#expire();
    if (this.#pendingCount >= this.#limits.pendingMax || !this.#budget.take()) {
      this.#dropped += 1;
      this.#unmatchable(nowMs);
      return;
    }
    const known = this.#pending.get(key);
    if (known === undefined) this.#pending.set(key, [{ event, atMs: nowMs }]);
    else known.push({ event, atMs: nowMs });
    this.#pendingCount += 1;
  }

  /** The leader has published it. */
  published(event: Occurrence, nowMs: number): void {
    this.#heardAtMs = nowMs;
    if (this.#hasBegun && this.#heardFromUs === undefined) this.#beginHearing(event);
    const key = keyOf(event);
    if (key === undefined) {
      this.#unmatchable(nowMs);
      return;
    }
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      pending.shift();
      if (pending.length === 0) this.#pending.delete(key);
      this.#pendingCount -= 1;
      this.#budget.giveBack(1);
      return;
    }
    this.#expireAhead(nowMs);
    const ahead = this.#ahead.get(key);
    if (ahead !== undefined) ahead.count += 1;
    else if (this.#ahead.size < this.#limits.aheadMax)
      this.#ahead.set(key, { count: 1, atMs: nowMs });
    else this.#unmatchable(nowMs);
  }

  /** Whether an event of our own feed was published by the one who led before: it is left out. */
  isRepeated(event: Occurrence, nowMs: number): boolean {
    this.#expireAhead(nowMs);
    const key = keyOf(event);
    return key !== undefined && this.#wasAhead(key);
  }

  /**
   * Whether what is pending is all that was not published, if the leader's last word came then and
   * `last` was the last that it published. Where ids are numbers that rise, our feed need not have
   * run beside the leader's: it has all that follows an id if it began with it, or before it.
   */
  isProven(lastWordMs: number, last?: MarketEvent): boolean {
    if (this.#wholeSinceMs === undefined) return false;
    if (this.#wholeSinceMs + OVERLAP_MS_MIN <= lastWordMs) return true;
    const [first, end] = [numberOf(this.#firstId), numberOf(idOf(last))];
    return first !== undefined && end !== undefined && first <= end + 1n;
  }

  /** What is pending, in the order in which it came. */
  takePending(): Occurrence[] {
    const all = [...this.#pending.values()].flat();
    // Those of one key stand together, and keys in the order of their first: mostly sorted.
    all.sort((one, other) => one.atMs - other.atMs);
    this.#clearPending();
    return all.map(({ event }) => event);
  }

  /** Gives its memory back. */
  close(): void {
    this.#clearPending();
    this.#ahead.clear();
  }

  #beginHearing({ venueTimeUs }: Occurrence): void {
    this.#heardFromUs = venueTimeUs;
    for (const [key, waiting] of this.#pending) {
      const kept = waiting.filter(({ event }) => !this.#isOfBefore(event));
      if (kept.length === waiting.length) continue;
      this.#pendingCount -= waiting.length - kept.length;
      this.#budget.giveBack(waiting.length - kept.length);
      if (kept.length === 0) this.#pending.delete(key);
      else this.#pending.set(key, kept);
    }
  }

  /** It happened before what we have heard the leader publish first. */
  #isOfBefore({ venueTimeUs }: Occurrence): boolean {
    const fromUs = this.#heardFromUs;
    return fromUs !== undefined && venueTimeUs !== undefined && venueTimeUs < fromUs;
  }

  #wasAhead(key: string): boolean {
    const ahead = this.#ahead.get(key);
    if (ahead === undefined) return false;
    ahead.count -= 1;
    if (ahead.count === 0) this.#ahead.delete(key);
    return true;
  }

  /** From here on it has to be proven anew. */
  #unmatchable(nowMs: number): void {
    if (this.#wholeSinceMs === undefined) return;
    this.#wholeSinceMs = nowMs;
    this.#firstId = undefined;
  }

  #expire(): void {
    for (const [key, waiting] of this.#pending) {
      const [oldest] = waiting;
      if (oldest === undefined || this.#heardAtMs - oldest.atMs <= PENDING_AGE_MS_MAX) return;
      this.#pending.delete(key);
      this.#pendingCount -= waiting.length;
      this.#dropped += waiting.length;
      this.#budget.giveBack(waiting.length);
    }
  }

  #expireAhead(nowMs: number): void {
    for (const [key, { atMs }] of this.#ahead) {
      if (nowMs - atMs <= AHEAD_AGE_MS_MAX) return;
      this.#ahead.delete(key);
    }
  }

  #clearPending(): void {
    this.#budget.giveBack(this.#pendingCount);
    this.#pendingCount = 0;
    this.#pending.clear();
  }
}

function idOf(event: MarketEvent | undefined): string | undefined {
  return event?.kind === "trade" ? event.tradeId : undefined;
}

/** Of a decimal number; undefined for any other id, which has no order. */
function numberOf(id: string | undefined): bigint | undefined {
  return id !== undefined && /^\d{1,40}$/.test(id) ? BigInt(id) : undefined;
}

/**
 * What makes an occurrence the same in both feeds: the venue's id, or else its content with the
 * venue's time. Undefined if the venue gives neither.
 */
function keyOf(event: Occurrence): string | undefined {
  if (event.kind === "trade" && event.tradeId !== "") return event.tradeId;
  if (event.kind === "liquidation" && event.liquidationId !== undefined) return event.liquidationId;
  if (event.venueTimeUs === undefined) return undefined;
  if (event.kind === "trade") {
    const { priceMantissa, priceScale, sizeMantissa, sizeScale, aggressorSide } = event;
    // The same decimal may have come with another scale, which a batch has in common.
    const price = formatDecimal(priceMantissa, priceScale);
    const size = formatDecimal(sizeMantissa, sizeScale);
    return `${event.venueTimeUs} ${price} ${size} ${aggressorSide}`;
  }
  const { price, size, aggressorSide } = event;
  return `${event.venueTimeUs} ${price} ${size} ${aggressorSide}`;
}
