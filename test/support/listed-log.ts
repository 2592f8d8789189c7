import { BatchWriter } from "@tickwire/proto/codec";
import type {
  LogEntry,
  LogPage,
  LogReadLimits,
  LogStart,
  StreamLog,
  StreamLogError,
} from "#bus/stream-log.ts";
import { rowsOfEvents } from "#wire/event-codec.ts";
import { fakeInstrument } from "./fake-feed.ts";

/** A log that has what a test puts into it, one entry at each place from 1 on. */
export class ListedLog implements StreamLog {
  readonly kind = "memory";
  /** Questions that were asked. */
  asked = 0;
  /** Fails while this is set. */
  failure: StreamLogError | undefined;
  readonly #entries: (LogEntry & { readonly subject: string })[] = [];

  put(subject: string, payload: Uint8Array, storedTimeUs: number = this.#entries.length): void {
    this.#entries.push({ subject, place: this.#entries.length + 1, storedTimeUs, payload });
  }

  /** Takes the oldest away, as a limit does. */
  truncate(count: number): void {
    this.#entries.splice(0, count);
  }

  /** Takes one entry out of the middle. */
  remove(place: number): void {
    const index = this.#entries.findIndex((entry) => entry.place === place);
    this.#entries.splice(index, 1);
  }

  async first(subject: string, place: number): Promise<LogEntry | undefined> {
    return this.#of(subject).find((entry) => entry.place >= place);
  }

  async last(subject: string): Promise<LogEntry | undefined> {
    return this.#of(subject).at(-1);
  }

  async read(subject: string, start: LogStart, limits: LogReadLimits): Promise<LogPage> {
    const all = this.#of(subject).filter((entry) =>
      "place" in start ? entry.place >= start.place : entry.storedTimeUs >= start.timeUs,
    );
    let bytes = 0;
    const entries = all.slice(0, limits.entriesMax).filter((entry, index) => {
      bytes += entry.payload.byteLength;
      return index === 0 || bytes <= limits.bytesMax;
    });
    return { entries, isLast: entries.length === all.length };
  }

  async close(): Promise<void> {}

  #of(subject: string) {
    this.asked += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.#entries.filter((entry) => entry.subject === subject);
  }
}

/** Batches of trades of A-USD at `fake`, one for each number of events, after `sequence`. */
export function tradeBatches({
  epoch,
  sequence = 0,
  counts,
  publishedTimeUs = 9,
}: {
  readonly epoch: number;
  readonly sequence?: number;
  readonly counts: readonly number[];
  readonly publishedTimeUs?: number;
}): Uint8Array[] {
  const writer = new BatchWriter({ kind: "trades", epoch, sequence });
  const instrument = fakeInstrument("A-USD");
  let number = sequence;
  return counts.map((count) => {
    const events = Array.from({ length: count }, () => {
      number += 1;
      return {
        kind: "trade" as const,
        instrument,
        venueTimeUs: undefined,
        receivedTimeUs: publishedTimeUs - 1,
        tradeId: String(number),
        historical: false,
        aggressorSide: "buyer" as const,
        priceMantissa: 100 + number,
        priceScale: 1,
        sizeMantissa: 1,
        sizeScale: 0,
      };
    });
    return writer.write(rowsOfEvents(events), { publishedTimeUs })[0]!.bytes;
  });
}
