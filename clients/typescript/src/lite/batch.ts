import { fromBigInt, type Mantissa } from "@tickwire/proto/model";
import {
  bytesOf,
  fieldsOf,
  listOf,
  messageOf,
  numberOf,
  sumOf,
  textOf,
  textsOf,
  unzigzag,
  varintOf,
  type Fields,
} from "./wire.ts";

// Batches of trades and of quotes, as proto/wire.md has them. What reads every channel at full
// speed is @tickwire/proto/codec, four times as large; batch.test.ts holds this to it.

/** Where a chain of batches stands, which the next one goes on from. */
type Chain = {
  readonly channel: number;
  readonly epoch: number;
  generation: number;
  sequence: number;
  receivedUs: number;
  venueUs: number;
  venueReceivedUs: number;
  readonly unitUs: number;
  readonly scales: readonly number[];
  price: Mantissa;
  readonly idForm: number;
  id: Mantissa;
  readonly idPrefix: string;
  readonly idDigits: number;
  readonly values: Mantissa[];
  /** Fields of an event, as its writer counts them. */
  readonly fieldCount: number;
};

/** What all batches have. */
export type BatchHead = {
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly skipped: number;
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
  readonly receivedTimesUs: readonly number[];
  readonly venueTimesUs: readonly (number | undefined)[];
};

/** A batch as it was read: its columns are those of its channel. */
type Batch = BatchHead & { readonly columns: Readonly<Record<string, unknown>> };

/** The numbers of the channels that can be read. */
export const TRADES = 1;
export const QUOTES = 2;
const QUOTE_COLUMNS = [9, 10, 11, 12] as const;

const SIDES = ["none", "buyer", "seller", "none"] as const;

const RESIDUE_MODULUS = 127;
const GENERATIONS = 128;
const SCALE_MAX = 1_000;
const TEXT_LENGTH_MAX = 1_002;
const ID_DIGITS_MAX = 18;

/** Reads the batches of one topic on one connection. */
export class LiteReader {
  #chain: Chain | undefined;

  /** Forgets the chain: nothing is read until a batch comes with a base. */
  reset(): void {
    this.#chain = undefined;
  }

  /**
   * The batch; undefined if it does not go on from what was read. Throws RangeError or TypeError
   * for bytes that are none. In both cases the chain is forgotten.
   */
  read(bytes: Uint8Array): Batch | undefined {
    const fields = fieldsOf(bytes);
    const base = messageOf(fields, 7);
    const chain = base === undefined ? this.#chain : chainOf(base);
    this.#chain = undefined;
    if (chain === undefined) return undefined;
    const snapshot = numberOf(fields, 18) !== 0;
    const skipped = numberOf(fields, 8);
    const times = listOf(fields, 2);
    const count = (times.length - 2) / (chain.unitUs === 0 ? 1 : 2);
    const before = chain.sequence;
    const last = snapshot ? before : before + skipped + count;
    const mark = Number(times[0]);
    if (base !== undefined) chain.generation = Math.floor(mark / RESIDUE_MODULUS);
    const isNext =
      chain.generation < GENERATIONS &&
      mark === (last % RESIDUE_MODULUS) + chain.generation * RESIDUE_MODULUS &&
      [0, last].includes(numberOf(fields, 17));
    if (!Number.isInteger(count) || count < 0 || !isNext || (snapshot && base === undefined)) {
      return undefined;
    }
    const { receivedTimesUs, venueTimesUs } = readTimes(chain, times, count);
    const batch = {
      channel: chain.channel,
      epoch: chain.epoch,
      firstSequence: snapshot ? before : before + skipped + 1,
      count,
      skipped,
      snapshot,
      publishedTimeUs: timeOf(sumOf(chain.receivedUs, unzigzag(times[1]!))),
      receivedTimesUs,
      venueTimesUs,
      columns:
        chain.channel === TRADES
          ? readTrades(chain, fields, count)
          : readQuotes(chain, fields, count),
    };
    chain.sequence = last;
    // What follows a state starts from a base of its own.
    if (!snapshot) this.#chain = chain;
    return batch;
  }
}

function chainOf(base: Fields): Chain {
  const signed = (field: number) => sumOf(0, unzigzag(varintOf(base, field)));
  const receivedUs = timeOf(sumOf(0, varintOf(base, 4)));
  const offset = (field: number) => timeOf(sumOf(receivedUs, signed(field)));
  const values = listOf(base, 16).map(unzigzag);
  const channel = numberOf(base, 1);
  const quoteScales = listOf(base, 17).map(Number);
  const unitUs = numberOf(base, 7);
  // By field: the two prices of a quote have one scale, and its sizes another.
  const scales = channel === QUOTES ? quoteScales : [numberOf(base, 8), numberOf(base, 9)];
  if (
    (channel !== TRADES && channel !== QUOTES) ||
    ![0, 1, 1_000].includes(unitUs) ||
    scales.some((scale) => scale > SCALE_MAX) ||
    (channel === QUOTES && [0, 1].some((at) => (scales[at] ?? 0) !== (scales[at + 2] ?? 0))) ||
    numberOf(base, 12) > 2 ||
    numberOf(base, 15) > ID_DIGITS_MAX
  ) {
    throw new RangeError("a base is none of trades or quotes");
  }
  return {
    channel,
    epoch: numberOf(base, 2),
    generation: 0,
    sequence: numberOf(base, 3),
    receivedUs,
    venueUs: offset(5),
    venueReceivedUs: offset(6),
    unitUs,
    scales: [scales[0] ?? 0, scales[1] ?? 0],
    price: signed(10),
    idForm: numberOf(base, 12),
    id: signed(13),
    idPrefix: textOf(base, 14),
    idDigits: numberOf(base, 15),
    values: QUOTE_COLUMNS.map((_, index) => values[index] ?? 0),
    fieldCount: channel === QUOTES ? values.length : 2,
  };
}

/** Throws RangeError for a time beyond 2^53. */
function timeOf(value: Mantissa): number {
  if (typeof value === "number") return value;
  throw new RangeError("a time is beyond 2^53");
}

function readTimes(chain: Chain, times: readonly Mantissa[], count: number) {
  const { unitUs } = chain;
  const receivedTimesUs: number[] = [];
  const venueTimesUs: (number | undefined)[] = [];
  let at = 2;
  for (let index = 0; index < count; index += 1) {
    chain.receivedUs = timeOf(sumOf(chain.receivedUs, times[at++]!));
    receivedTimesUs.push(chain.receivedUs);
    const code = unitUs === 0 ? 0 : times[at++]!;
    if (code !== 0) {
      const span = chain.receivedUs - chain.venueReceivedUs;
      const rest = ((span % unitUs) + unitUs) % unitUs;
      const late = unzigzag(typeof code === "number" ? code - 1 : fromBigInt(code - 1n));
      const advance = productOf(sumOf(late, (span - rest) / unitUs), unitUs);
      chain.venueUs = timeOf(sumOf(chain.venueUs, advance));
      chain.venueReceivedUs = chain.receivedUs;
    }
    venueTimesUs.push(code === 0 ? undefined : chain.venueUs);
  }
  return { receivedTimesUs, venueTimesUs };
}

/** `a * b` modulo 2^64, as a signed integer. */
function productOf(a: Mantissa, b: number): Mantissa {
  const product = Number(a) * b;
  if (Number.isSafeInteger(product)) return product;
  return fromBigInt(BigInt.asIntN(64, BigInt(a) * BigInt(b)));
}

function readTrades(chain: Chain, fields: Fields, count: number) {
  const aggressorSides: (typeof SIDES)[number][] = [];
  const prices = listOf(fields, 3).map((code) => {
    const flag = typeof code === "number" ? code % 4 : Number(code & 3n);
    aggressorSides.push(SIDES[flag]!);
    const rest = typeof code === "number" ? (code - flag) / 4 : fromBigInt(code >> 2n);
    return (chain.price = sumOf(chain.price, unzigzag(rest)));
  });
  const sizes = listOf(fields, 4);
  const deltas = listOf(fields, 21);
  const isNumbered = chain.idForm === 1;
  const texts = chain.idForm === 2 ? textsOf(fields, 22) : [];
  const tradeIds: (Mantissa | string)[] = [];
  for (let index = 0; index < count; index += 1) {
    if (isNumbered) {
      chain.id = sumOf(chain.id, deltas.length === 0 ? 1 : unzigzag(deltas[index]!));
      const { idPrefix, idDigits } = chain;
      tradeIds.push(idPrefix + String(chain.id).padStart(idDigits, "0"));
    } else tradeIds.push(texts[index] ?? "");
  }
  const ids = isNumbered && deltas.length > 0 ? deltas : chain.idForm === 2 ? texts : sizes;
  const misfits = [prices, sizes, ids];
  if (misfits.some(({ length }) => length !== count)) throw new RangeError("a column does not fit");
  const [priceScale, sizeScale] = applyTexts(chain, fields, [prices, sizes]);
  const isHistorical = numberOf(fields, 20) !== 0;
  return {
    priceScale,
    sizeScale,
    prices,
    sizes,
    aggressorSides,
    tradeIds,
    historical: prices.map(() => isHistorical),
  };
}

function readQuotes(chain: Chain, fields: Fields, count: number) {
  const masks = listOf(fields, 6);
  const columns = QUOTE_COLUMNS.map((column, field) => {
    const changes = listOf(fields, column);
    const isSaid = changes.length > 0;
    const values: Mantissa[] = [];
    let next = 0;
    let value = chain.values[field]!;
    for (let index = 0; index < count; index += 1) {
      const isChanged = masks.length === 0 ? isSaid : ((Number(masks[index]) >> field) & 1) === 1;
      // Past the end there is nothing, which is refused below.
      if (isChanged) value = sumOf(value, unzigzag(changes[next++] ?? 0));
      values.push(value);
    }
    if (next !== changes.length) throw new RangeError("a column does not fit");
    chain.values[field] = value;
    return values;
  });
  const [priceScale, sizeScale] = applyTexts(chain, fields, columns);
  const [bidPrices, bidSizes, askPrices, askSizes] = columns;
  return { priceScale, sizeScale, bidPrices, bidSizes, askPrices, askSizes };
}

/**
 * Puts in what travels as text, for which columns of prices, and those of sizes, come to the finest
 * scale among them. Returns the scales of both.
 */
function applyTexts(
  chain: Chain,
  fields: Fields,
  columns: readonly Mantissa[][],
): readonly [priceScale: number, sizeScale: number] {
  const scales = [...chain.scales] as [number, number];
  const places = bytesOf(fields, 23).map((bytes) => {
    const message = fieldsOf(bytes);
    const place = numberOf(message, 1);
    const text = textOf(message, 2);
    const column = place % chain.fieldCount;
    const entry = (place - column) / chain.fieldCount;
    if (!(entry < columns[0]!.length) || !isDecimal(text)) throw new RangeError("a text is none");
    const scale = (text.split(".")[1] ?? "").length;
    if (column < columns.length) scales[column & 1] = Math.max(scales[column & 1]!, scale);
    return { column, entry, scale, mantissa: BigInt(text.replace(".", "")) };
  });
  if (places.length === 0) return scales;
  const scaled = (value: Mantissa, from: number, column: number) =>
    fromBigInt(BigInt(value) * 10n ** BigInt(scales[column & 1]! - from));
  for (const [column, values] of columns.entries()) {
    const from = chain.scales[column & 1]!;
    for (const [entry, value] of values.entries()) values[entry] = scaled(value, from, column);
  }
  for (const { column, entry, scale, mantissa } of places) {
    if (column < columns.length) columns[column]![entry] = scaled(mantissa, scale, column);
  }
  return scales;
}

function isDecimal(text: string): boolean {
  return text.length <= TEXT_LENGTH_MAX && /^-?\d+(\.\d+)?$/.test(text);
}
