import { BatchReader, WireError } from "@tickwire/proto/codec";

/** What a batch showed. `lost`: events are missing of which the gateway said nothing. */
type Reading =
  | { readonly outcome: "events"; readonly events: number; readonly publishedTimeUs: number }
  | { readonly outcome: "lost"; readonly events: number }
  | { readonly outcome: "old" | "broken" };

type Place = { readonly epoch: number; readonly sequence: number };

/** Decodes the batches of one topic of one connection, and proves that none is missing. */
export class TopicReader {
  readonly #reader = new BatchReader();
  #place: Place;
  #announcedTo = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Of the last event that was read: from here a client resumes. */
  get place(): Place {
    return this.#place;
  }

  /** The gateway says that events up to this one will not come. */
  announceMissing(last: number): void {
    this.#announcedTo = Math.max(this.#announcedTo, last);
  }

  /** The gateway says that the topic goes on in another epoch, after this place. */
  moveTo(place: Place): void {
    this.#place = place;
    this.#announcedTo = 0;
  }

  read(bytes: Uint8Array, start: number, end: number): Reading {
    let reading;
    try {
      reading = this.#reader.read(bytes, start, end);
    } catch (cause) {
      if (cause instanceof WireError) return { outcome: "broken" };
      throw cause;
    }
    if (reading.outcome === "lost") return { outcome: "lost", events: 1 };
    if (reading.outcome === "unknown-channel") return { outcome: "broken" };
    const { epoch, firstSequence, count, skipped, snapshot, publishedTimeUs } = reading.batch;
    const { place } = this;
    if (snapshot) {
      if (epoch === place.epoch && firstSequence < place.sequence) return { outcome: "old" };
      this.moveTo({ epoch, sequence: firstSequence });
      return { outcome: "events", events: count, publishedTimeUs };
    }
    const before = firstSequence - 1 - skipped;
    const last = firstSequence + count - 1;
    if (epoch === place.epoch && last <= place.sequence) return { outcome: "old" };
    const from = epoch === place.epoch ? place.sequence : 0;
    this.#place = { epoch, sequence: last };
    const missing = before - Math.max(from, Math.min(before, this.#announcedTo));
    return missing > 0
      ? { outcome: "lost", events: missing }
      : { outcome: "events", events: Math.min(count, last - from), publishedTimeUs };
  }
}
