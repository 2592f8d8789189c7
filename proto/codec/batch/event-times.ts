import { WireError } from "../wire-error.ts";

const INITIAL_EVENTS = 1_024;

/** The times of the events of a batch that is being written. Reused from batch to batch. */
export class EventTimes {
  received = new Float64Array(INITIAL_EVENTS);
  /** NaN where the venue gives none. */
  venue = new Float64Array(INITIAL_EVENTS);
  #count = 0;

  /** Empties it and makes room for `capacity` events. */
  reset(capacity: number): void {
    this.#count = 0;
    if (capacity > this.received.length) {
      this.received = new Float64Array(capacity);
      this.venue = new Float64Array(capacity);
    }
  }

  /** Throws WireError if a time is not a safe integer. */
  add(receivedTimeUs: number, venueTimeUs: number | undefined): void {
    if (!Number.isSafeInteger(receivedTimeUs)) {
      throw new WireError("unsafe-integer", `receivedTimeUs is ${receivedTimeUs}`);
    }
    const index = this.#count;
    this.#count = index + 1;
    this.received[index] = receivedTimeUs;
    if (venueTimeUs === undefined) {
      this.venue[index] = NaN;
      return;
    }
    if (!Number.isSafeInteger(venueTimeUs)) {
      throw new WireError("unsafe-integer", `venueTimeUs is ${venueTimeUs}`);
    }
    this.venue[index] = venueTimeUs;
  }
}
