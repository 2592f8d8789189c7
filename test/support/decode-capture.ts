import { createHash } from "node:crypto";
import { formatDecimal, type OrderBook } from "@tickwire/proto/model";
import { BookBuilder } from "#core/book-builder.ts";
import type { Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { bookSyncOf } from "#ingest/feed/book-sync-of.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { decodeRecorded } from "./recorded-answer.ts";

/** What an adapter made of a capture, with books built directly, without the feed driver. */
type DecodedCapture = {
  /** Every event but books, in order. */
  readonly events: readonly Exclude<FeedEvent, { kind: "raw-book" }>[];
  /** Received frames, in order. */
  readonly frames: readonly (string | Uint8Array)[];
  readonly builders: ReadonlyMap<string, BookBuilder>;
  /** Deltas that reached the consumer, by venue symbol. */
  readonly deltas: ReadonlyMap<string, number>;
  readonly snapshots: number;
  readonly checksums: { passed: number; failed: number };
  readonly gaps: number;
};

type DecodeCaptureOptions = {
  readonly bookDepth?: number;
  /** Changes frames on their way to the decoder, to see what it notices. */
  readonly alter?: (frame: string) => string;
  /** Builds books without cutting them to the venue's depth. */
  readonly untruncated?: boolean;
};

/** Runs a capture through an adapter's decoder and one book builder per instrument. */
export async function decodeCapture(
  adapter: FeedAdapter,
  path: string,
  options: DecodeCaptureOptions = {},
): Promise<DecodedCapture> {
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 10_000,
    derive: (venueSymbol, venueMarket) => adapter.deriveInstrument(venueSymbol, venueMarket),
  });
  const decoders = new Map<number, FeedDecoder>();
  const { bookDepth = 1000, untruncated = false } = options;
  const run = new CaptureRun(adapter, { bookDepth, untruncated });
  const rest = adapter.createDecoder({ catalog, bookDepth });
  for await (const line of readCapture(path)) {
    const request = line.kind === "http" ? adapter.recordedRequest(line.url) : undefined;
    if (line.kind === "http" && request?.kind === "instruments") {
      catalog.add(adapter.parseInstruments(line.body, line.url)?.instruments ?? []);
    } else if (line.kind === "http") {
      if (request?.kind !== "book-snapshot") continue;
      decodeRecorded({ adapter, catalog, decoder: rest }, line, line.atUs, run.emit);
    } else if (line.kind === "open") {
      const context = { catalog, bookDepth, url: line.url };
      decoders.set(line.connection, adapter.createDecoder(context));
    } else if (line.kind === "sent") {
      decoders.get(line.connection)?.sent?.(line.text);
    } else if (line.kind === "received") {
      run.frames.push(line.frame);
      const frame =
        typeof line.frame === "string" ? (options.alter?.(line.frame) ?? line.frame) : line.frame;
      decoders.get(line.connection)?.decode(frame, line.atUs, run.emit);
    }
  }
  return run;
}

class CaptureRun implements DecodedCapture {
  readonly events: Exclude<FeedEvent, { kind: "raw-book" }>[] = [];
  readonly frames: (string | Uint8Array)[] = [];
  readonly builders = new Map<string, BookBuilder>();
  readonly deltas = new Map<string, number>();
  readonly checksums = { passed: 0, failed: 0 };
  readonly emit: (event: FeedEvent) => void;
  snapshots = 0;
  gaps = 0;
  readonly #adapter: FeedAdapter;
  readonly #bookDepth: number;
  readonly #untruncated: boolean;

  constructor(adapter: FeedAdapter, options: { bookDepth: number; untruncated: boolean }) {
    this.#adapter = adapter;
    this.#bookDepth = options.bookDepth;
    this.#untruncated = options.untruncated;
    this.emit = (event) => {
      if (event.kind === "raw-book") this.#onBook(event);
      else this.events.push(event);
    };
  }

  #onBook(raw: Extract<FeedEvent, { kind: "raw-book" }>): void {
    const { venueSymbol } = raw.instrument;
    const builder = this.#builderOf(raw.instrument, raw.depth);
    builder.handle(raw, (out) => {
      if (out.kind === "checksum") this.checksums[out.ok ? "passed" : "failed"] += 1;
      if (out.kind === "gap") this.gaps += 1;
      if (out.kind !== "event") return;
      if (out.event.snapshot) this.snapshots += 1;
      else this.deltas.set(venueSymbol, (this.deltas.get(venueSymbol) ?? 0) + 1);
    });
  }

  #builderOf(instrument: Instrument, depth: number | undefined): BookBuilder {
    let builder = this.builders.get(instrument.venueSymbol);
    if (builder === undefined) {
      builder = new BookBuilder({
        sync: bookSyncOf(this.#adapter, instrument, { bookDepth: this.#bookDepth }),
        instrument,
        bufferedDeltasMax: 1000,
        depth: this.#untruncated ? undefined : depth,
      });
      this.builders.set(instrument.venueSymbol, builder);
    }
    return builder;
  }
}

/**
 * The first 16 hex digits of sha256 over `price,size|...#price,size|...`, best first, as plain
 * decimals.
 */
export function hashBook(book: OrderBook): string {
  const side = (levels: {
    prices: readonly (number | bigint)[];
    sizes: readonly (number | bigint)[];
  }) =>
    levels.prices
      .map((price, index) => {
        const size = levels.sizes[index] ?? 0;
        return `${formatDecimal(price, book.priceScale)},${formatDecimal(size, book.sizeScale)}`;
      })
      .join("|");
  const text = `${side(book.bids())}#${side(book.asks())}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
