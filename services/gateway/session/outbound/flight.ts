import { assert } from "#core/assert.ts";
import type { LatencyHistogram } from "#core/latency-histogram.ts";

/** How much may be under way to a client. Sizes are bytes. */
export type FlightLimits = {
  /** Sent and not acknowledged, to a client that acknowledges quickly. */
  readonly flightBytesMax: number;
};

/** The same at first, before anything is known of the client. */
const FLIGHT_BYTES_START = 256 * 1024;
/** The same for a client that acknowledges slowly: whatever is said next comes through soon. */
const FLIGHT_BYTES_MIN = 64 * 1024;
/** A place in the queue is remembered so often, so lag is known that precisely. */
const PLACE_INTERVAL_US = 2_000_000;
/** A probe is sent at the latest when this part of what may be under way was sent without one. */
const PROBES_PER_FLIGHT = 4;
/** The same of bulk, so that the pieces do not wait for each other. */
const PROBES_PER_BULK = 16;
/** What may be under way changes when so much of it, sent since the last change, was answered. */
const ROUND_SHARE = 0.5;
/** No more places, and no more probes, are remembered: the oldest tells the lag. */
const PLACES_MAX = 64;
const PROBES_MAX = 64;
/** Answered faster than this, more may be under way; slower than the other, or not yet, less. */
const QUICK_US = 500_000;
const SLOW_US = 1_000_000;
/** If more than this is to be sent at once, it is bulk: what comes behind it would wait for it. */
export const BULK_BYTES = 16 * 1024;
/** How much of it may be under way at first, and at least. */
const BULK_WINDOW_START = 4 * 1024;
const BULK_WINDOW_MIN = 2 * 1024;
/** Bulk is over when there was none for so long; then little is known of the line any more. */
const BULK_PAUSE_US = 1_000_000;
/** So long may an answer take for what is under way before it: a reply waits for no longer. */
const BULK_DELAY_US = 8_000;
/** No answer shrinks what may be under way to less than this part. */
const SHRINK_MIN = 0.25;
/**
 * How long an answer takes at best is measured anew in each period, and believed to have grown by
 * so much at most: on a line that is always busy no answer shows it.
 */
const BASE_PERIOD_US = 10_000_000;
const BASE_GROWTH = 1.5;
const BASE_GROWTH_US = 1_000;

/** Everything up to `offset` of the queue was owed at this time. */
type Place = { owedAtUs: number; readonly offset: number };

/** What was sent before the probe was owed at `owedAtUs` or later. */
type Probe = {
  readonly number: number;
  readonly sentBytes: number;
  owedAtUs: number;
  sentAtUs: number;
  /** Where the time until its answer is counted. */
  readonly transits: LatencyHistogram | undefined;
};

/** Of every client to which nothing is under way, as it is to most. */
const NO_PLACES: readonly Place[] = [];
const NO_PROBES: readonly Probe[] = [];

/** What is known of the line while bulk is sent, and hardly true any more when that is over. */
class Bulk {
  /** When there was some last. */
  atUs: number;
  /** What had been sent when it began. */
  readonly fromBytes: number;
  /** The line is asked how quick it is before bulk is sent. */
  wantsBase = true;
  /** How long an answer took at best in this period, and before. */
  baseUs = Number.POSITIVE_INFINITY;
  baseBeforeUs = Number.POSITIVE_INFINITY;
  baseSinceUs: number;
  /** What is under way has filled the line once, so that its size is known. */
  hasBeenFull = false;

  constructor(nowUs: number, fromBytes: number) {
    this.atUs = nowUs;
    this.baseSinceUs = nowUs;
    this.fromBytes = fromBytes;
  }

  get bestUs(): number {
    return Math.min(this.baseUs, this.baseBeforeUs);
  }

  /** What was at best before is believed to have grown. */
  beginPeriod(nowUs: number): void {
    const grownUs = this.bestUs * BASE_GROWTH + BASE_GROWTH_US;
    this.baseBeforeUs = Math.min(this.baseUs, grownUs);
    this.baseUs = Number.POSITIVE_INFINITY;
    this.baseSinceUs = nowUs;
  }
}

/**
 * What is under way to one client, by probes that it answers: the kernel takes megabytes for a
 * client that reads nothing, so what it took says nothing about what the client has. From the
 * answers follow how old the oldest thing is that the client may not have, and how much more may be
 * sent before it has answered. Has no clock and sends nothing. Offsets count the bytes of market
 * data that were queued since the session began.
 *
 * While much is to be sent, so much is under way as the line carries in the time that an answer
 * takes at best and `BULK_DELAY_US`: it is always busy, and what is urgent waits for no longer. An
 * answer that is late although nothing was under way behind its probe says that somebody was busy,
 * not that the line is full.
 *
 * What holds, and what enforces it:
 * 1. A place counts until a probe behind it is answered: `probed` takes places over, and only those
 *    that have left the queue.
 * 2. Without room there is a probe to be answered: one is wanted long before the room is used up,
 *    and the room shrinks with an answer, after which the next is wanted sooner, or while a probe
 *    is not answered.
 * 3. At most PLACES_MAX and PROBES_MAX are remembered: asked before one is added.
 * 4. An answer counts once, and for every probe before it.
 * 5. Nothing of one client is told to the flight of many: asserted where it would be kept.
 */
export class Flight {
  /** The one that was asked for last. */
  static #untouched: { readonly limits: FlightLimits; readonly flight: Flight } | undefined;
  /** It is that of many: see `untouched`. */
  readonly isUntouched: boolean;
  readonly #flightBytesMax: number;
  #places = NO_PLACES;
  #probes = NO_PROBES;
  #nextNumber = 1;
  #placedAtUs = Number.NEGATIVE_INFINITY;
  #placedOffset = 0;
  #sentBytes = 0;
  #probedBytes = 0;
  #answeredBytes = 0;
  #windowBytes: number;
  /** Undefined while there is none. */
  #bulk: Bulk | undefined;
  /** The newest answer that nothing was made of yet. */
  #news: { readonly transitUs: number; readonly sentBytes: number } | undefined;
  /** The quickest of the answers since the window was changed last. */
  #quickestUs = Number.POSITIVE_INFINITY;
  #wasFull = false;
  /** What had been sent when the window was changed last: older answers say nothing of it. */
  #adaptedBytes = 0;

  constructor({ flightBytesMax }: FlightLimits, isUntouched = false) {
    this.isUntouched = isUntouched;
    this.#flightBytesMax = flightBytesMax;
    this.#windowBytes = Math.min(FLIGHT_BYTES_START, flightBytesMax);
  }

  /**
   * What is under way to a client that was sent nothing but messages, one for all of them: most
   * sessions wait. One that is to be sent something else gets a flight of its own before.
   */
  static untouched(limits: FlightLimits): Flight {
    if (Flight.#untouched?.limits !== limits) {
      Flight.#untouched = { limits, flight: new Flight(limits, true) };
    }
    return Flight.#untouched.flight;
  }

  /** Whether there is something that the client may not have. */
  get isOpen(): boolean {
    return this.#places.length > 0 || this.#probes.length > 0;
  }

  /** So much is to be sent now. Takes into account what was answered since the last time. */
  begin(queuedBytes: number, nowUs: number): void {
    this.#adapt();
    const bulk = this.#bulk;
    const isGoingOn = bulk !== undefined && nowUs - bulk.atUs <= BULK_PAUSE_US;
    if (queuedBytes > BULK_BYTES) {
      if (!isGoingOn) {
        this.#beginBulk(nowUs);
        return;
      }
      if (nowUs - bulk.baseSinceUs > BASE_PERIOD_US) this.#beginPeriod(bulk, nowUs);
      bulk.atUs = nowUs;
    } else if (bulk !== undefined && !isGoingOn) this.#endBulk(bulk);
  }

  /** Whether more market data may be sent now. If not, an answer will come. */
  hasRoom(nowUs: number): boolean {
    return this.#unansweredBytes < this.#roomBytes(nowUs);
  }

  /**
   * How much market data one frame should carry at most: a client sees nothing of a frame before
   * its last byte, and answers nothing meanwhile.
   */
  frameBytes(nowUs: number): number {
    return this.#roomBytes(nowUs) / this.#probesPerFlight;
  }

  /**
   * How much may be sent before anything of this is asked again, as long as no answer comes and it
   * is not later than `quietUntilUs`.
   */
  quietBytes(nowUs: number): number {
    if (this.#bulk !== undefined || this.#news !== undefined) return 0;
    const unprobedBytes = this.#sentBytes - this.#probedBytes;
    const untilProbe = this.#windowBytes / this.#probesPerFlight - unprobedBytes;
    const roomBytes = this.#roomBytes(nowUs);
    return Math.min(untilProbe, roomBytes - this.#unansweredBytes, this.frameBytes(nowUs));
  }

  /** When what is owed is remembered next, or an answer comes late. */
  get quietUntilUs(): number {
    const placedUs = this.#placedAtUs + PLACE_INTERVAL_US;
    const [oldest] = this.#probes;
    return oldest === undefined ? placedUs : Math.min(placedUs, oldest.sentAtUs + SLOW_US);
  }

  /** The number of the probe that is sent next. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** For how long the oldest thing has been owed that the client may not have. */
  lagUs(nowUs: number): number {
    const placed = this.#places[0]?.owedAtUs ?? nowUs;
    const probed = this.#probes[0]?.owedAtUs ?? nowUs;
    return Math.max(0, nowUs - Math.min(placed, probed));
  }

  /** Market data was given to the transport. */
  sent(bytes: number): void {
    assert(!this.isUntouched || bytes === 0, "what is sent to one is told to its own flight");
    this.#sentBytes += bytes;
  }

  /** What is owed is to be remembered, which a probe follows. */
  isPlaceDue(nowUs: number): boolean {
    return nowUs - this.#placedAtUs >= PLACE_INTERVAL_US;
  }

  /** Everything up to `offset` is owed. Remembered now and then. */
  owes(offset: number, nowUs: number): void {
    if (offset <= this.#placedOffset || !this.isPlaceDue(nowUs)) return;
    if (this.#places.length >= PLACES_MAX) return;
    assert(!this.isUntouched, "what is owed to one is told to its own flight");
    this.#placedAtUs = nowUs;
    this.#placedOffset = offset;
    this.#places = [...this.#places, { owedAtUs: nowUs, offset }];
  }

  /** Something was taken back, so that the queue ends here. */
  takenBack(end: number): void {
    this.#placedOffset = Math.min(this.#placedOffset, end);
    if (this.#places.length === 0) return;
    this.#places = this.#places.map(({ owedAtUs, offset }) => {
      return { owedAtUs, offset: Math.min(offset, end) };
    });
  }

  /** Whether a probe is to be sent, now that everything up to `offset` has left the queue. */
  wantsProbe(offset: number): boolean {
    if (this.#probes.length >= PROBES_MAX) return false;
    if (this.#bulk?.wantsBase === true) return true;
    const place = this.#places[0];
    if (place !== undefined && place.offset <= offset) return true;
    return this.#sentBytes - this.#probedBytes >= this.#windowBytes / this.#probesPerFlight;
  }

  /**
   * The probe `nextNumber` was sent, behind everything up to `offset`. The time until its answer is
   * counted in `transits`.
   */
  probed(offset: number, nowUs: number, transits?: LatencyHistogram): void {
    const covered = this.#places.filter((place) => place.offset <= offset).length;
    const owedAtUs = covered === 0 ? nowUs : (this.#places[0]?.owedAtUs ?? nowUs);
    this.#places = covered < this.#places.length ? this.#places.slice(covered) : NO_PLACES;
    const sentBytes = this.#sentBytes;
    const number = this.#nextNumber;
    const probe = { number, sentBytes, owedAtUs, sentAtUs: nowUs, transits };
    this.#probes = [...this.#probes, probe];
    if (this.#bulk !== undefined) this.#bulk.wantsBase = false;
    this.#probedBytes = sentBytes;
    this.#nextNumber += 1;
  }

  /**
   * The client has everything before the probe of this number. Returns how old that was; undefined
   * for a number that says nothing new.
   */
  answered(number: number, nowUs: number): number | undefined {
    const index = this.#probes.findIndex((probe) => probe.number === number);
    const probe = this.#probes[index];
    if (probe === undefined) return undefined;
    this.#wasFull ||= this.#unansweredBytes * 2 >= this.#windowBytes;
    const lagUs = this.lagUs(nowUs);
    this.#answeredBytes = Math.max(this.#answeredBytes, probe.sentBytes);
    const answered = index + 1;
    this.#probes = answered < this.#probes.length ? this.#probes.slice(answered) : NO_PROBES;
    const transitUs = nowUs - probe.sentAtUs;
    probe.transits?.observe(transitUs);
    const bulk = this.#bulk;
    if (bulk !== undefined) bulk.baseUs = Math.min(bulk.baseUs, transitUs);
    this.#news = { transitUs, sentBytes: probe.sentBytes };
    return lagUs;
  }

  /** Time in which the gateway itself stood still is nobody's lag. */
  forgive(lostUs: number): void {
    for (const place of this.#places) place.owedAtUs += lostUs;
    for (const probe of this.#probes) {
      probe.owedAtUs += lostUs;
      probe.sentAtUs += lostUs;
    }
    this.#placedAtUs += lostUs;
  }

  #roomBytes(nowUs: number): number {
    const oldest = this.#probes[0];
    const isSlow = oldest !== undefined && nowUs - oldest.sentAtUs > SLOW_US;
    return isSlow ? Math.min(FLIGHT_BYTES_MIN, this.#windowBytes) : this.#windowBytes;
  }

  #beginBulk(nowUs: number): void {
    assert(!this.isUntouched, "bulk of one is told to its own flight");
    this.#windowBytes = Math.min(BULK_WINDOW_START, this.#flightBytesMax);
    // What came before came bit by bit, and was hardly under way at once.
    this.#bulk = new Bulk(nowUs, this.#sentBytes);
    this.#adaptedBytes = this.#sentBytes;
  }

  #endBulk(bulk: Bulk): void {
    this.#bulk = undefined;
    this.#answeredBytes = Math.max(this.#answeredBytes, bulk.fromBytes);
    const usual = Math.min(FLIGHT_BYTES_START, this.#flightBytesMax);
    this.#windowBytes = Math.max(this.#windowBytes, usual);
  }

  #beginPeriod(bulk: Bulk, nowUs: number): void {
    bulk.beginPeriod(nowUs);
    // With less under way, it shows how long an answer takes at best.
    this.#windowBytes = Math.max(this.#windowBytes / 2, this.#leastBytes);
  }

  get #unansweredBytes(): number {
    return this.#sentBytes - Math.max(this.#answeredBytes, this.#bulk?.fromBytes ?? 0);
  }

  get #probesPerFlight(): number {
    return this.#bulk !== undefined ? PROBES_PER_BULK : PROBES_PER_FLIGHT;
  }

  /** Much is under way still: an answer waited for the line, and not for somebody who was busy. */
  get #isLineFull(): boolean {
    return this.#bulk !== undefined && this.#unansweredBytes * 4 > this.#windowBytes;
  }

  get #leastBytes(): number {
    return Math.min(
      this.#bulk !== undefined ? BULK_WINDOW_MIN : FLIGHT_BYTES_MIN,
      this.#flightBytesMax,
    );
  }

  /** Makes of the newest answer what may be under way from now on. */
  #adapt(): void {
    const news = this.#news;
    if (news === undefined) return;
    const wasFull = this.#wasFull;
    this.#news = undefined;
    const roundBytes = news.sentBytes - this.#adaptedBytes;
    if (roundBytes <= 0) return;
    this.#quickestUs = Math.min(this.#quickestUs, news.transitUs);
    const isSoon = this.#isLineFull && roundBytes < this.#windowBytes * ROUND_SHARE;
    if (isSoon && news.transitUs < SLOW_US) return;
    const factor = this.#factorOf(this.#quickestUs, news.transitUs, wasFull);
    this.#wasFull = false;
    if (factor === 1) return;
    this.#quickestUs = Number.POSITIVE_INFINITY;
    const windowBytes = Math.max(this.#windowBytes * factor, this.#leastBytes);
    this.#windowBytes = Math.min(windowBytes, this.#flightBytesMax);
    this.#adaptedBytes = this.#sentBytes;
  }

  #factorOf(transitUs: number, newestUs: number, wasFull: boolean): number {
    if (transitUs > SLOW_US) return 0.5;
    const bulk = this.#isLineFull ? this.#bulk : undefined;
    const bestUs = bulk?.bestUs ?? 0;
    const aimUs = bestUs + BULK_DELAY_US;
    if (bulk !== undefined && transitUs > aimUs) {
      bulk.hasBeenFull = true;
      return Math.max(SHRINK_MIN, aimUs / transitUs);
    }
    if (!wasFull || transitUs >= QUICK_US) return 1;
    if (bulk === undefined) return 2;
    if (bulk.hasBeenFull) return Math.min(2, aimUs / transitUs);
    // The newest answer shows soonest that the line fills up: doubling once more would be too much.
    const isFilling = (newestUs - bestUs) * 2 > BULK_DELAY_US;
    return isFilling ? Math.max(1, Math.min(2, aimUs / newestUs)) : 2;
  }
}
