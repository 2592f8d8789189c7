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
/** No more places, and no more probes, are remembered: the oldest tells the lag. */
const PLACES_MAX = 64;
const PROBES_MAX = 64;
/** Answered faster than this, more may be under way; slower than the other, or not yet, less. */
const QUICK_US = 500_000;
const SLOW_US = 1_000_000;

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

/**
 * What is under way to one client, by probes that it answers: the kernel takes megabytes for a
 * client that reads nothing, so what it took says nothing about what the client has. From the
 * answers follow how old the oldest thing is that the client may not have, and how much more may be
 * sent before it has answered. Has no clock and sends nothing. Offsets count the bytes of market
 * data that were queued since the session began.
 *
 * What holds, and what enforces it:
 * 1. A place counts until a probe behind it is answered: `probed` takes places over, and only those
 *    that have left the queue.
 * 2. Without room there is a probe to be answered: one is wanted long before the room is used up,
 *    and the room shrinks with an answer, after which the next is wanted sooner, or while a probe
 *    is not answered.
 * 3. At most PLACES_MAX and PROBES_MAX are remembered: asked before one is added.
 * 4. An answer counts once, and for every probe before it.
 */
export class Flight {
  readonly #flightBytesMax: number;
  #places: Place[] = [];
  readonly #probes: Probe[] = [];
  #nextNumber = 1;
  #placedAtUs = Number.NEGATIVE_INFINITY;
  #placedOffset = 0;
  #sentBytes = 0;
  #probedBytes = 0;
  #answeredBytes = 0;
  #windowBytes: number;

  constructor({ flightBytesMax }: FlightLimits) {
    this.#flightBytesMax = flightBytesMax;
    this.#windowBytes = Math.min(FLIGHT_BYTES_START, flightBytesMax);
  }

  /** Whether there is something that the client may not have. */
  get isOpen(): boolean {
    return this.#places.length > 0 || this.#probes.length > 0;
  }

  /** Whether more market data may be sent now. If not, an answer will come. */
  hasRoom(nowUs: number): boolean {
    return this.#sentBytes - this.#answeredBytes < this.#roomBytes(nowUs);
  }

  /**
   * How much market data one frame should carry at most: a client sees nothing of a frame before
   * its last byte, and answers nothing meanwhile.
   */
  frameBytes(nowUs: number): number {
    return this.#roomBytes(nowUs) / PROBES_PER_FLIGHT;
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
    this.#sentBytes += bytes;
  }

  /** Everything up to `offset` is owed. Remembered now and then. */
  owes(offset: number, nowUs: number): void {
    if (offset <= this.#placedOffset || nowUs - this.#placedAtUs < PLACE_INTERVAL_US) return;
    if (this.#places.length >= PLACES_MAX) return;
    this.#placedAtUs = nowUs;
    this.#placedOffset = offset;
    this.#places.push({ owedAtUs: nowUs, offset });
  }

  /** Something was taken back, so that the queue ends here. */
  takenBack(end: number): void {
    this.#placedOffset = Math.min(this.#placedOffset, end);
    this.#places = this.#places.map(({ owedAtUs, offset }) => {
      return { owedAtUs, offset: Math.min(offset, end) };
    });
  }

  /** Whether a probe is to be sent, now that everything up to `offset` has left the queue. */
  wantsProbe(offset: number): boolean {
    if (this.#probes.length >= PROBES_MAX) return false;
    const place = this.#places[0];
    if (place !== undefined && place.offset <= offset) return true;
    return this.#sentBytes - this.#probedBytes >= this.#windowBytes / PROBES_PER_FLIGHT;
  }

  /**
   * The probe `nextNumber` was sent, behind everything up to `offset`. The time until its answer is
   * counted in `transits`.
   */
  probed(offset: number, nowUs: number, transits?: LatencyHistogram): void {
    const covered = this.#places.filter((place) => place.offset <= offset).length;
    const owedAtUs = covered === 0 ? nowUs : (this.#places[0]?.owedAtUs ?? nowUs);
    this.#places.splice(0, covered);
    const sentBytes = this.#sentBytes;
    const number = this.#nextNumber;
    this.#probes.push({ number, sentBytes, owedAtUs, sentAtUs: nowUs, transits });
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
    const wasFull = (this.#sentBytes - this.#answeredBytes) * 2 >= this.#windowBytes;
    const lagUs = this.lagUs(nowUs);
    this.#answeredBytes = probe.sentBytes;
    this.#probes.splice(0, index + 1);
    const transitUs = nowUs - probe.sentAtUs;
    probe.transits?.observe(transitUs);
    this.#adapt(transitUs, wasFull);
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

  #adapt(transitUs: number, wasFull: boolean): void {
    if (transitUs > SLOW_US) {
      const least = Math.min(FLIGHT_BYTES_MIN, this.#flightBytesMax);
      this.#windowBytes = Math.max(this.#windowBytes / 2, least);
    } else if (transitUs < QUICK_US && wasFull) {
      this.#windowBytes = Math.min(this.#windowBytes * 2, this.#flightBytesMax);
    }
  }
}
