import { BookAt, BookTick } from "#core/market-tick.ts";
import type { Instrument } from "#core/instrument.ts";
import { bookEvent } from "./book-event.ts";
import { type Emit, emitTick, type TakeTick } from "./emit.ts";
import type { ScaleTracker } from "./scale-tracker.ts";
import { ScannedBook } from "./scanned-levels.ts";

/** What a change is about, and the scales of its book. */
type ChangedBook = { readonly instrument: Instrument; readonly scales: ScaleTracker };

/** A change of a book that is being scanned, and the tick that it becomes. */
export class ScannedChange {
  readonly levels = new ScannedBook();
  readonly #tick = new BookTick();

  /** Where the numbers of the change are put: see `BookAt`. Its times are set by `emit`. */
  get numbers(): Float64Array {
    return this.#tick.numbers;
  }

  /** Levels of each side that the venue keeps, where it says so. */
  set depth(depth: number | undefined) {
    this.#tick.depth = depth;
  }

  /** Hands on what was scanned: as an event where a tick does not hold one of its numbers. */
  emit(
    { instrument, scales }: ChangedBook,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
    emit: Emit,
    takeTick: TakeTick | undefined,
  ): void {
    const tick = this.#tick;
    const isTime = venueTimeUs === undefined || !Number.isNaN(venueTimeUs);
    if (isTime && this.levels.fill(tick, scales)) {
      tick.instrument = instrument;
      tick.numbers[BookAt.Venue] = venueTimeUs ?? Number.NaN;
      tick.numbers[BookAt.Received] = receivedTimeUs;
      emitTick(tick, emit, takeTick);
      return;
    }
    const columns = this.levels.take(scales);
    const { firstUpdateId, lastUpdateId, previousUpdateId, checksum, depth } = tick;
    emit(
      bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, {
        snapshot: false,
        firstUpdateId,
        lastUpdateId,
        previousUpdateId,
        checksum,
        depth,
      }),
    );
  }
}
