import type { RowTimes } from "../types.ts";
import { WireError } from "../wire-error.ts";

const INITIAL_EVENTS = 1_024;

/** The times of the events of a batch that is being written. Reused from batch to batch. */
export class EventTimes {
  received = new Float64Array(INITIAL_EVENTS);
  /** NaN where the venue gives none. */
  venue = new Float64Array(INITIAL_EVENTS);

  /** Takes over the times of the rows. Throws WireError if one is not a safe integer. */
  gather(rows: readonly RowTimes[]): void {
    const { length } = rows;
    if (length > this.received.length) {
      this.received = new Float64Array(length);
      this.venue = new Float64Array(length);
    }
    const { received, venue } = this;
    for (let index = 0; index < length; index += 1) {
      const { receivedTimeUs, venueTimeUs } = rows[index] as RowTimes;
      if (!Number.isSafeInteger(receivedTimeUs)) refuse("receivedTimeUs", receivedTimeUs);
      received[index] = receivedTimeUs;
      if (venueTimeUs === undefined) venue[index] = NaN;
      else {
        if (!Number.isSafeInteger(venueTimeUs)) refuse("venueTimeUs", venueTimeUs);
        venue[index] = venueTimeUs;
      }
    }
  }
}

function refuse(name: string, timeUs: number): never {
  throw new WireError("unsafe-integer", `${name} is ${timeUs}`);
}
