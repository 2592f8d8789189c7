import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { formatDecimal } from "@tickwire/proto/model";
import { BookBuilder } from "#core/book-builder.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { LevelColumns, MarketEvent } from "#core/market-event.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { mexcFrameOf } from "#test/support/dialects/mexc/wrapper.ts";
import { venueFolder } from "#test/support/venue-folder.ts";
import { decodeRecorded, type RecordedConnection } from "#test/support/recorded-answer.ts";

/**
 * One file of `test/fixtures/venues/<family>/<member>/<channel>-<variant>.json`: what a
 * venue sends, and what must come out.
 *
 * `frames` in order; a string is the frame's text as sent (where number texts matter), an object or
 * array is sent as its JSON, `{"gzip": ...}` with either inside as a compressed binary frame, and
 * `{"protobuf": {...}}` as the message of MEXC, the one venue that sends such.
 * `expect` in order, each as `canonical` below prints it: market events
 * with the keys of `normalize` but without `epoch`, `sequence`, `receivedTimeUs` and `venue`; books
 * after the BookBuilder; and for the rest
 * with `"bad-time"` for a time that could not be read;
 * `{"type":"subscribed"|"refused"|"heartbeat"|"reconnect-requested"|"rejected", ...}`,
 * `{"type":"gap"}` for a sequence gap and `{"type":"checksum-failed"}`.
 */
export type VenueFixture = {
  readonly description: string;
  /** Address of the connection, where it says what part of the venue it serves. */
  readonly url?: string;
  /** Depth that was subscribed; 1000 unless given. */
  readonly bookDepth?: number;
  /**
   * The venue's instrument list, as its REST answer's JSON. Without one, instruments are derived.
   */
  readonly instruments?: unknown;
  /** Where that answer came from; the adapter's first request unless given. */
  readonly instrumentsUrl?: string;
  /** More lists, where the venue has several. */
  readonly instrumentLists?: readonly { readonly url: string; readonly body: unknown }[];
  /** What `instruments` maps to: venue symbol to symbol; with `skipped`, the whole outcome. */
  readonly expectInstruments?: Readonly<Record<string, string>>;
  readonly expectSkipped?: number;
  /** Frames that we sent before, for venues whose answers refer to them. */
  readonly sent?: readonly unknown[];
  readonly frames: readonly unknown[];
  /** REST answers; each arrives before the frame with index `beforeFrame`, or after all of them. */
  readonly rest?: readonly {
    readonly url: string;
    readonly status: number;
    readonly body: unknown;
    readonly beforeFrame?: number;
  }[];
  readonly expect: readonly CanonicalEvent[];
};

/** An event as a fixture writes it. */
export type CanonicalEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A fixture and the name of its file. */
export type NamedFixture = { readonly name: string; readonly fixture: VenueFixture };

/** When everything in a fixture was received. */
export const RECEIVED_TIME_US = 1_700_000_000_000_000;

const BOOK_DEPTH_DEFAULT = 1000;
const FOLDER = fileURLToPath(new URL("../fixtures/venues/", import.meta.url));

/** A member of a family has a folder in that of its family: `kraken-v1` is in `kraken/v1`. */
function folderOf(venue: string): string {
  return join(FOLDER, venueFolder(venue));
}

/** All fixtures of a venue by file name; empty if it has none. */
export function loadFixtures(venue: string): readonly NamedFixture[] {
  const folder = folderOf(venue);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => ({
      name,
      fixture: JSON.parse(readFileSync(join(folder, name), "utf8")) as VenueFixture,
    }));
}

/** True if the venue's fixtures say where they come from. */
export function hasSource(venue: string): boolean {
  return existsSync(join(folderOf(venue), "SOURCE.md"));
}

/** The text of a frame as the venue would send it, before compression. */
export function frameText(frame: unknown): string {
  const content = contentOf(frame);
  return typeof content === "string" ? content : JSON.stringify(content);
}

/** What a frame says, without the form in which it is sent. */
export function contentOf(frame: unknown): unknown {
  if (isGzipFrame(frame)) return frame.gzip;
  return isProtobufFrame(frame) ? frame.protobuf : frame;
}

/** True for a frame that the venue sends compressed. */
function isGzipFrame(frame: unknown): frame is { readonly gzip: unknown } {
  return isOnly(frame, "gzip");
}

/** True for a frame that is no text, and so stands in a fixture as what it says. */
export function isProtobufFrame(frame: unknown): frame is { readonly protobuf: unknown } {
  return isOnly(frame, "protobuf");
}

function isOnly(frame: unknown, key: string): boolean {
  if (typeof frame !== "object" || frame === null || Array.isArray(frame)) return false;
  const keys = Object.keys(frame);
  return keys.length === 1 && keys[0] === key;
}

/** The frame as it comes from the socket. */
export function frameData(frame: unknown): string | Uint8Array {
  return dataLike(frame, frameText(frame));
}

/** Another text in the form in which the venue sends this frame. */
export function dataLike(frame: unknown, text: string): string | Uint8Array {
  if (isProtobufFrame(frame)) return mexcFrameOf(text);
  return isGzipFrame(frame) ? new Uint8Array(gzipSync(text)) : text;
}

/** What the adapter makes of the fixture's list of instruments; undefined without one. */
export function parseFixtureInstruments(
  adapter: FeedAdapter,
  { instruments, instrumentsUrl }: VenueFixture,
): ReturnType<FeedAdapter["parseInstruments"]> {
  if (instruments === undefined) return undefined;
  const url = instrumentsUrl ?? adapter.instrumentsRequests(adapter.endpoints)[0]?.url ?? "";
  return adapter.parseInstruments(frameText(instruments), url);
}

/** A decoder as the ingestor makes it, over the fixture's instruments or derived ones. */
export function createFixtureDecoder(adapter: FeedAdapter, fixture: VenueFixture): FeedDecoder {
  return createFixtureConnection(adapter, fixture).decoder;
}

/** The same with the catalog that the decoder has its instruments from. */
export function createFixtureConnection(
  adapter: FeedAdapter,
  fixture: VenueFixture,
): RecordedConnection {
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 100_000,
    derive: (venueSymbol, venueMarket) => adapter.deriveInstrument(venueSymbol, venueMarket),
  });
  catalog.add(parseFixtureInstruments(adapter, fixture)?.instruments ?? []);
  for (const { url, body } of fixture.instrumentLists ?? []) {
    catalog.add(adapter.parseInstruments(frameText(body), url)?.instruments ?? []);
  }
  const decoder = adapter.createDecoder({
    catalog,
    bookDepth: fixture.bookDepth ?? BOOK_DEPTH_DEFAULT,
    url: fixture.url ?? adapter.endpoints.webSocket,
  });
  for (const frame of fixture.sent ?? []) decoder.sent?.(frameText(frame));
  return { adapter, catalog, decoder };
}

/** Everything that the decoder makes of the fixture, in order. */
export function decodeFixture(adapter: FeedAdapter, fixture: VenueFixture): FeedEvent[] {
  const connection = createFixtureConnection(adapter, fixture);
  const { decoder } = connection;
  const events: FeedEvent[] = [];
  const emit = (event: FeedEvent): number => events.push(event);
  const frames = fixture.frames;
  for (let index = 0; index <= frames.length; index += 1) {
    for (const answer of fixture.rest ?? []) {
      if ((answer.beforeFrame ?? frames.length) !== index) continue;
      const recorded = { url: answer.url, body: frameText(answer.body) };
      decodeRecorded(connection, recorded, RECEIVED_TIME_US, emit);
    }
    if (index < frames.length) decoder.decode(frameData(frames[index]), RECEIVED_TIME_US, emit);
  }
  return events;
}

/**
 * Runs the books among `events` through a BookBuilder each and writes everything in its canonical
 * form.
 */
export function canonicalEvents(
  adapter: FeedAdapter,
  events: readonly FeedEvent[],
  bookDepth: number = BOOK_DEPTH_DEFAULT,
): CanonicalEvent[] {
  const builders = new Map<Instrument, BookBuilder>();
  const canonicals: CanonicalEvent[] = [];
  for (const event of events) {
    if (event.kind !== "raw-book") {
      canonicals.push(canonical(event));
      continue;
    }
    let builder = builders.get(event.instrument);
    if (builder === undefined) {
      builder = new BookBuilder({
        sync: adapter.bookSyncOf?.(event.instrument, { bookDepth }) ?? adapter.bookSync,
        instrument: event.instrument,
        bufferedDeltasMax: 1000,
        depth: event.depth,
      });
      builders.set(event.instrument, builder);
    }
    builder.handle(event, (out) => {
      if (out.kind === "event") canonicals.push(canonical(out.event));
      if (out.kind === "gap") canonicals.push({ type: "gap" });
      if (out.kind === "checksum" && !out.ok) canonicals.push({ type: "checksum-failed" });
    });
  }
  return canonicals;
}

/** The channel that a canonical event is published on; undefined for what is not published. */
export function channelOf(event: CanonicalEvent): Channel | undefined {
  return CHANNELS_OF_TYPES[event.type];
}

const CHANNELS_OF_TYPES: Readonly<Record<string, Channel>> = {
  trade: "trades",
  quote: "quotes",
  book: "book",
  candle: "candles",
  ticker: "ticker",
  funding: "funding",
  "mark-price": "mark-price",
  "open-interest": "open-interest",
  liquidation: "liquidations",
};

/** One event in the form that fixtures use. Keys without a value are left out. */
function canonical(event: MarketEvent | Exclude<FeedEvent, { kind: "raw-book" }>): CanonicalEvent {
  if (event.kind === "rejected") return { type: event.kind, reason: event.reason };
  const { kind, ...rest } = event;
  if (event.kind === "instrument-state") {
    const { instrument, ...said } = event;
    const { symbol, venueSymbol } = instrument;
    return withoutUndefined({
      type: kind,
      symbol,
      venueSymbol,
      state: said.state,
      word: said.word,
    });
  }
  if (!("instrument" in event)) return withoutUndefined({ type: kind, ...rest });
  const common = {
    type: kind,
    symbol: event.instrument.symbol,
    venueSymbol: event.instrument.venueSymbol,
    venueTimeUs: event.venueTimeUs,
  };
  // Only the kinds whose numbers are mantissas need more than their fields.
  switch (event.kind) {
    case "candle":
    case "ticker":
    case "funding":
    case "mark-price":
    case "open-interest":
    case "liquidation":
    case "status":
    case "listing": {
      const { instrument: _instrument, receivedTimeUs: _received, kind: _kind, ...fields } = event;
      return withoutUndefined({ ...common, ...fields });
    }
    case "trade":
      return withoutUndefined({
        ...common,
        price: formatDecimal(event.priceMantissa, event.priceScale),
        size: formatDecimal(event.sizeMantissa, event.sizeScale),
        aggressorSide: event.aggressorSide,
        tradeId: event.tradeId,
        historical: event.historical,
      });
    case "quote":
      return withoutUndefined({
        ...common,
        bidPrice: formatDecimal(event.bidPriceMantissa, event.priceScale),
        bidSize: formatDecimal(event.bidSizeMantissa, event.sizeScale),
        askPrice: formatDecimal(event.askPriceMantissa, event.priceScale),
        askSize: formatDecimal(event.askSizeMantissa, event.sizeScale),
      });
    case "book":
      return withoutUndefined({
        ...common,
        snapshot: event.snapshot,
        bids: levelTexts(event.bids, event.priceScale, event.sizeScale),
        asks: levelTexts(event.asks, event.priceScale, event.sizeScale),
      });
  }
}

function levelTexts(columns: LevelColumns, priceScale: number, sizeScale: number): string[][] {
  return columns.prices.map((price, index) => [
    formatDecimal(price, priceScale),
    formatDecimal(columns.sizes[index] ?? 0, sizeScale),
  ]);
}

function withoutUndefined(record: { type: string } & Record<string, unknown>): CanonicalEvent {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  // A time that could not be read, which the normalizer takes away and counts.
  const written = entries.map(([key, value]) => [key, Number.isNaN(value) ? "bad-time" : value]);
  return Object.fromEntries(written) as CanonicalEvent;
}
