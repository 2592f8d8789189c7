import { formatDecimal } from "@tickwire/proto/model";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { BookEvent, LevelColumns, MarketEvent } from "#core/market-event.ts";
import type { CaptureRecord } from "#ingest/capture/capture-format.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { decodeRecorded } from "#test/support/recorded-answer.ts";

// Parts of recordings, short enough to be run thousands of times through the ingestor's own replay,
// and books kept in plain maps to judge what comes out. What they rebuild is what a consumer sees.

/** Lines of a recording that are read at all; the longest have far more. */
const LINES_MAX = 6_000;
const BOOK_DEPTH = 1_000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** A line, and which books it is about. */
type WindowLine = { readonly line: CaptureRecord; readonly books: readonly string[] };

/** Some consecutive lines about a few instruments, from where their books begin. */
export type CaptureWindow = {
  readonly adapter: FeedAdapter;
  readonly instruments: readonly Instrument[];
  readonly lines: readonly WindowLine[];
  /** Those that hold a whole book. */
  readonly snapshots: ReadonlySet<CaptureRecord>;
  /** Indexes of received frames in `lines`. */
  readonly received: readonly number[];
};

/** A book in plain maps from price to size, as texts. */
class PlainBook {
  readonly #sides = { bids: new Map<string, string>(), asks: new Map<string, string>() };
  #hash = 0;

  /** The same for the same levels, in whatever order they came. */
  get hash(): number {
    return this.#hash;
  }

  apply(event: BookEvent): void {
    if (event.snapshot) {
      this.#sides.bids.clear();
      this.#sides.asks.clear();
      this.#hash = 0;
    }
    this.#set("bids", event.bids, event);
    this.#set("asks", event.asks, event);
  }

  /** The best levels of both sides as one text. */
  best(levels: number): string {
    const side = (name: "bids" | "asks", direction: 1 | -1): string =>
      [...this.#sides[name]]
        .toSorted(([a], [b]) => direction * (Number(a) - Number(b)))
        .slice(0, levels)
        .join(" ");
    return `${side("bids", -1)} / ${side("asks", 1)}`;
  }

  #set(name: "bids" | "asks", { prices, sizes }: LevelColumns, event: BookEvent): void {
    const side = this.#sides[name];
    for (const [index, mantissa] of prices.entries()) {
      const price = formatDecimal(mantissa, event.priceScale);
      const size = formatDecimal(sizes[index] ?? 0, event.sizeScale);
      const before = side.get(price);
      if (before !== undefined) this.#hash -= hashOf(name, price, before);
      if (size === "0") side.delete(price);
      else {
        side.set(price, size);
        this.#hash += hashOf(name, price, size);
      }
    }
  }
}

/** A whole number below 2^40, so that sums of many stay exact. */
function hashOf(name: string, price: string, size: string): number {
  const text = `${name} ${price} ${size}`;
  let low = 0x811c9dc5;
  let high = 7;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x0100_01b3) + 1;
  }
  return (high & 0xff) * 2 ** 32 + (low >>> 0);
}

/** The driver's replay of some lines, with the books that a consumer rebuilds from its events. */
export class WindowRun {
  readonly books = new Map<string, PlainBook>();
  readonly #replay: CaptureReplay;
  readonly #instruments = new Map<string, Instrument>();

  constructor(window: CaptureWindow) {
    this.#replay = new CaptureReplay({
      adapter: window.adapter,
      bookDepth: BOOK_DEPTH,
      logger: SILENT,
      emit: (event) => this.#onEvent(event),
    });
    this.#replay.catalog.add(window.instruments.map((instrument) => ({ ...instrument })));
  }

  take(line: CaptureRecord): void {
    this.#replay.take(line);
  }

  isLive(symbol: string): boolean {
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) return false;
    return this.#replay.driver.pipeline.liveBookOf(instrument) !== undefined;
  }

  /** Symbols of the books that are live now. */
  live(): string[] {
    return [...this.#instruments.keys()].filter((symbol) => this.isLive(symbol));
  }

  close(): void {
    this.#replay.close();
  }

  #onEvent(event: MarketEvent): void {
    const { symbol } = event.instrument;
    this.#instruments.set(symbol, event.instrument);
    if (event.kind !== "book") return;
    let book = this.books.get(symbol);
    if (book === undefined) this.books.set(symbol, (book = new PlainBook()));
    book.apply(event);
  }
}

/** The windows of a recording; none if nobody knows its venue. */
export async function windowsOf(
  path: string,
  options: { readonly windowsMax: number; readonly framesMax: number },
): Promise<readonly CaptureWindow[]> {
  const { venue, lines } = await linesOf(path);
  if (!Object.hasOwn(VENUES, venue)) return [];
  const adapter: FeedAdapter = VENUES[venue as keyof typeof VENUES];
  const { instruments, snapshots, told } = attribute(adapter, lines);
  const counts = new Map<string, number>();
  for (const { books } of told) {
    for (const symbol of books) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  }
  const busy = [...counts].toSorted(([, a], [, b]) => b - a).map(([symbol]) => symbol);
  // Numbers over the whole connection leave nothing that could be left out.
  const isWhole = adapter.bookProof.order === "connection-sequence";
  const windows: CaptureWindow[] = [];
  for (const [index, symbol] of busy.slice(0, isWhole ? 1 : options.windowsMax).entries()) {
    const bystander = busy[(index + 1) % busy.length] ?? symbol;
    const kept = isWhole ? new Set(busy) : new Set([symbol, bystander]);
    const window = cut(told, { kept, symbol, framesMax: options.framesMax });
    const received = window.flatMap(({ line }, at) => (line.kind === "received" ? [at] : []));
    windows.push({ adapter, instruments, snapshots, lines: window, received });
  }
  return windows;
}

async function linesOf(path: string): Promise<{ venue: string; lines: CaptureRecord[] }> {
  let venue = "";
  const lines: CaptureRecord[] = [];
  for await (const line of readCapture(path)) {
    if (line.kind === "header") venue = line.venue;
    else if (line.kind !== "damaged") lines.push(line);
    if (lines.length >= LINES_MAX) break;
  }
  return { venue, lines };
}

type ToldLine = WindowLine & { readonly about: readonly string[] };

/** Which instruments each line is about, as the adapter reads it; lists of instruments go out. */
function attribute(
  adapter: FeedAdapter,
  lines: readonly CaptureRecord[],
): {
  instruments: readonly Instrument[];
  snapshots: ReadonlySet<CaptureRecord>;
  told: readonly ToldLine[];
} {
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 100_000,
    derive: (venueSymbol, venueMarket) => adapter.deriveInstrument(venueSymbol, venueMarket),
  });
  const seen = new Map<string, Instrument>();
  const decoders = new Map<number, FeedDecoder>();
  const snapshots = new Set<CaptureRecord>();
  const told: ToldLine[] = [];
  const decoderOf = (id: number, url?: string): FeedDecoder => {
    const context = { catalog, bookDepth: BOOK_DEPTH, ...(url === undefined ? {} : { url }) };
    const decoder = decoders.get(id) ?? adapter.createDecoder(context);
    decoders.set(id, decoder);
    return decoder;
  };
  for (const line of lines) {
    if (line.kind === "http" && adapter.recordedRequest(line.url)?.kind === "instruments") {
      catalog.add(adapter.parseInstruments(line.body, line.url)?.instruments ?? []);
      continue;
    }
    const about = new Set<string>();
    const books = new Set<string>();
    const note = (event: FeedEvent): void => {
      if (event.kind === "raw-book" && event.snapshot) snapshots.add(line);
      if (!("instrument" in event) || event.instrument === undefined) return;
      seen.set(event.instrument.symbol, event.instrument);
      about.add(event.instrument.symbol);
      if (event.kind === "raw-book") books.add(event.instrument.symbol);
    };
    if (line.kind === "open") decoderOf(line.connection, line.url);
    if (line.kind === "sent") decoderOf(line.connection).sent?.(line.text);
    if (line.kind === "received") decoderOf(line.connection).decode(line.frame, line.atUs, note);
    if (line.kind === "http") {
      decodeRecorded({ adapter, catalog, decoder: decoderOf(-1) }, line, line.atUs, note);
    }
    told.push({ line, about: [...about], books: [...books] });
  }
  return { instruments: [...seen.values()], snapshots, told };
}

/** From the start to some frames after the book of `symbol` began. */
function cut(
  told: readonly ToldLine[],
  wanted: { kept: ReadonlySet<string>; symbol: string; framesMax: number },
): WindowLine[] {
  const { kept, symbol, framesMax } = wanted;
  const lines: WindowLine[] = [];
  let frames = 0;
  for (const { line, about, books } of told) {
    if (about.length > 0 && !about.some((each) => kept.has(each))) continue;
    lines.push({ line, books });
    if (books.includes(symbol)) frames += 1;
    if (frames >= framesMax) break;
  }
  return lines;
}
