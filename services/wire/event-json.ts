import type { BatchRows, BookRow } from "@tickwire/proto/codec";
import {
  EVENT_KINDS,
  formatDecimal,
  type ChannelOfType,
  type EventField,
  type Mantissa,
  type RowsOfChannel,
} from "@tickwire/proto/model";

/** The instrument of an event. It is compared by identity: pass one object per instrument. */
export type EventSource = {
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
};

export type EventType = keyof ChannelOfType;

/** An event of any kind, tagged by the `type` that is printed. */
export type TypedRow = {
  readonly [Type in EventType]: {
    readonly type: Type;
    readonly row: Extract<
      BatchRows,
      { readonly kind: RowsOfChannel[ChannelOfType[Type]] }
    >["rows"][number];
  };
}[EventType];

export type EventPosition = { readonly epoch: number; readonly sequence: number };

/** So many levels of a book are written in well under a millisecond. */
const LEVELS_PER_STEP = 500;

/** Text that stands in JSON as it is. */
const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Writes events as JSON objects, the one form that `normalize` and `subscribe --json` print and
 * that gateways send over HTTP. Keys are in a fixed order; decimals are exact plain text; what the
 * venue does not say is absent.
 */
export class EventJson {
  readonly #heads = new Map<EventType, WeakMap<EventSource, string>>();

  /** One JSON object without a newline. */
  format(source: EventSource, position: EventPosition, event: TypedRow): string {
    return this.#start(event.type, source, position, event.row) + formatRow(event) + "}";
  }

  /**
   * The same in steps: the books of some venues have so many levels that nobody else should wait
   * until all of them are written.
   */
  *formatInSteps(
    source: EventSource,
    position: EventPosition,
    event: TypedRow,
  ): Generator<undefined, string> {
    if (event.type !== "book" || levelsOf(event.row) <= LEVELS_PER_STEP) {
      return this.format(source, position, event);
    }
    const { row } = event;
    const start = this.#start(event.type, source, position, row);
    const bids = yield* sideInSteps(row, row.bids);
    const asks = yield* sideInSteps(row, row.asks);
    return `${start},"snapshot":${row.snapshot},"bids":[${bids}],"asks":[${asks}]}`;
  }

  #start(
    type: EventType,
    source: EventSource,
    position: EventPosition,
    row: { readonly venueTimeUs: number | undefined; readonly receivedTimeUs: number },
  ): string {
    const venueTime = row.venueTimeUs === undefined ? "" : `,"venueTimeUs":${row.venueTimeUs}`;
    return `${this.#head(type, source)},"epoch":${position.epoch},"sequence":${position.sequence}${
      venueTime
    },"receivedTimeUs":${row.receivedTimeUs}`;
  }

  #head(type: EventType, source: EventSource): string {
    let heads = this.#heads.get(type);
    if (heads === undefined) {
      heads = new WeakMap();
      this.#heads.set(type, heads);
    }
    let head = heads.get(source);
    if (head === undefined) {
      const { venue, symbol, venueSymbol } = source;
      // A listing has names of its own: those of what is listed.
      const names = type === "listing" ? {} : { symbol, venueSymbol };
      head = JSON.stringify({ type, venue, ...names }).slice(0, -1);
      heads.set(source, head);
    }
    return head;
  }
}

/** A row seen without its type, which the table of the vocabulary vouches for. */
type PlainRow = { readonly [name: string]: unknown };

/** Prints one field of a row, with the comma before it. */
type FieldFormat = (row: PlainRow) => string;

/** How the fields of each type of event are printed; of books there are none. */
const FORMATS: ReadonlyMap<EventType, readonly FieldFormat[]> = new Map(
  EVENT_KINDS.map(({ type, fields }) => [type, fields.map((field) => formatOf(type, field))]),
);

function formatRow(event: TypedRow): string {
  if (event.type === "book") return formatBook(event.row);
  const row = event.row as object as PlainRow;
  let printed = "";
  for (const format of FORMATS.get(event.type) ?? []) printed += format(row);
  return printed;
}

function formatOf(type: EventType, { name, letter }: EventField): FieldFormat {
  if (letter === "d" && (type === "trade" || type === "quote")) {
    const mantissa = `${name}Mantissa`;
    // The numbers of a quote share their scales.
    const scale = name.toLowerCase().endsWith("price") ? "priceScale" : "sizeScale";
    return (row) => decimal(name, row[mantissa] as Mantissa, row[scale] as number);
  }
  if (letter !== "i" && letter !== "b") return (row) => text(name, row[name] as string | undefined);
  return (row) => {
    const value = row[name] as number | boolean | undefined;
    return value === undefined ? "" : `,"${name}":${value}`;
  };
}

function formatBook(row: BookRow): string {
  return `,"snapshot":${row.snapshot},"bids":${formatSide(row, row.bids)},"asks":${formatSide(
    row,
    row.asks,
  )}`;
}

function levelsOf({ bids, asks }: BookRow): number {
  return bids.prices.length + asks.prices.length;
}

function formatSide(row: BookRow, side: BookRow["bids"]): string {
  return `[${formatLevels(row, side, { from: 0, to: side.prices.length })}]`;
}

function* sideInSteps(row: BookRow, side: BookRow["bids"]): Generator<undefined, string> {
  const { length } = side.prices;
  let levels = "";
  for (let from = 0; from < length; from += LEVELS_PER_STEP) {
    if (from > 0) yield;
    levels += formatLevels(row, side, { from, to: Math.min(length, from + LEVELS_PER_STEP) });
  }
  return levels;
}

function formatLevels(
  row: BookRow,
  { prices, sizes }: BookRow["bids"],
  { from, to }: { readonly from: number; readonly to: number },
): string {
  let levels = "";
  for (let i = from; i < to; i++) {
    const price = formatDecimal(prices[i] as Mantissa, row.priceScale);
    const size = formatDecimal(sizes[i] as Mantissa, row.sizeScale);
    levels += `${i === 0 ? "" : ","}["${price}","${size}"]`;
  }
  return levels;
}

/** A mantissa consists of digits, so it needs no escaping. */
function decimal(name: string, mantissa: Mantissa, scale: number): string {
  return `,"${name}":"${formatDecimal(mantissa, scale)}"`;
}

function text(name: string, value: string | undefined): string {
  if (value === undefined) return "";
  return PLAIN_TEXT.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
}
