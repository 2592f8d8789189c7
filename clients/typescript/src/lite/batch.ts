import { fromBigInt, type Mantissa } from "@tickwire/proto/model";
import { jsonSafe } from "../events/json-safe.ts";
import {
  bytesOf,
  listOf,
  messageOf,
  numberOf,
  safeNumber,
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

/** A batch as it was read. */
export type Batch = {
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly skipped: number;
  readonly snapshot: boolean;
  readonly events: readonly object[];
};

type Decimal = { readonly number: number; readonly text: string; readonly mantissa: Mantissa };

/** Prices and sizes in turn, and what makes an event of what all have and its own numbers. */
type Columns = {
  readonly values: readonly Mantissa[][];
  readonly eventOf: (
    shared: SharedHead,
    own: OwnHead,
    numbers: readonly Decimal[],
    index: number,
  ) => object;
};

/** What the events of a batch share. */
type SharedHead = {
  readonly names: Names;
  readonly epoch: number;
  readonly initial: boolean;
  readonly publishedTimeUs: number;
  readonly priceScale: number;
  readonly sizeScale: number;
};

type OwnHead = {
  readonly sequence: number;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** What a topic is called. */
export type Names = {
  readonly topic: string;
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
};

/** The numbers of the channels that can be read. */
export const TRADES = 1;
export const QUOTES = 2;
const QUOTE_COLUMNS = [9, 10, 11, 12] as const;

const SIDES = ["none", "buyer", "seller", "none"] as const;

const RESIDUE_MODULUS = 127;
const GENERATIONS = 128;
const SCALE_MAX = 1_000;
const ID_DIGITS_MAX = 18;

/**
 * Puts the numbers of a batch that travel as text in the columns of its others, which come to the
 * finest scale among them. Returns the scales of prices and of sizes. Throws RangeError.
 */
export type ApplyTexts = (
  chain: Pick<Chain, "scales" | "fieldCount">,
  fields: Fields,
  columns: readonly Mantissa[][],
) => readonly number[];

/** Reads the batches of one topic on one connection. */
export class LiteReader {
  readonly #applyTexts: ApplyTexts;
  #chain: Chain | undefined;

  /** `applyTexts` puts in what travels as text, or throws RangeError. */
  constructor(applyTexts: ApplyTexts) {
    this.#applyTexts = applyTexts;
  }

  /** Forgets the chain: nothing is read until a batch comes with a base. */
  reset(): void {
    this.#chain = undefined;
  }

  /**
   * The batch of these fields, whose events say these names; undefined if it does not go on from
   * what was read.
   * Throws RangeError or TypeError for bytes that are none. In both cases the chain is forgotten.
   */
  read(fields: Fields, names: Names): Batch | undefined {
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
    const eventTimes = readTimes(chain, times, count);
    const publishedTimeUs = safeNumber(sumOf(chain.receivedUs, unzigzag(times[1]!)));
    const { channel, epoch } = chain;
    const read = channel === TRADES ? readTrades : readQuotes;
    const columns = read(chain, fields, count);
    const scales =
      bytesOf(fields, 23).length > 0
        ? this.#applyTexts(chain, fields, columns.values)
        : chain.scales;
    const firstSequence = snapshot ? before : before + skipped + 1;
    const [priceScale, sizeScale] = scales as [number, number];
    const powers = [powerOf(priceScale), powerOf(sizeScale)];
    const initial = snapshot;
    const shared = { names, epoch, initial, publishedTimeUs, priceScale, sizeScale };
    const events = eventTimes.map(({ venueTimeUs, receivedTimeUs }, index) => {
      const head = {
        sequence: snapshot ? before : firstSequence + index,
        venueTimeUs,
        receivedTimeUs,
      };
      const numbers = columns.values.map((values, at) =>
        decimalOf(values[index]!, scales[at & 1]!, powers[at & 1]!),
      );
      const event = columns.eventOf(shared, head, numbers, index);
      return jsonSafe(event, ...numbers.map(({ mantissa }) => mantissa));
    });
    chain.sequence = last;
    // What follows a state starts from a base of its own.
    if (!snapshot) this.#chain = chain;
    return { channel, epoch, firstSequence, count, skipped, snapshot, events };
  }
}

function chainOf(base: Fields): Chain {
  const signed = (field: number) => unzigzag(varintOf(base, field));
  const receivedUs = numberOf(base, 4);
  const timeFrom = (field: number) => safeNumber(sumOf(receivedUs, signed(field)));
  const channel = numberOf(base, 1);
  const isQuotes = channel === QUOTES;
  const unitUs = numberOf(base, 7);
  const values = listOf(base, 16).map(unzigzag);
  // By field: the two prices of a quote have one scale, and its sizes another.
  const said = isQuotes ? listOf(base, 17) : [numberOf(base, 8), numberOf(base, 9)];
  const scales = [0, 1, 2, 3].map((at) => Number(said[at] ?? 0));
  const idDigits = numberOf(base, 15);
  const idForm = numberOf(base, 12);
  if (
    (channel !== TRADES && !isQuotes) ||
    ![0, 1, 1_000].includes(unitUs) ||
    said.some((scale) => scale > SCALE_MAX) ||
    (isQuotes && scales.some((scale, at) => scale !== scales[at & 1])) ||
    idForm > 2 ||
    idDigits > ID_DIGITS_MAX
  ) {
    throw new RangeError("a base is none of trades or quotes");
  }
  return {
    channel,
    epoch: numberOf(base, 2),
    generation: 0,
    sequence: numberOf(base, 3),
    receivedUs,
    venueUs: timeFrom(5),
    venueReceivedUs: timeFrom(6),
    unitUs,
    scales,
    price: signed(10),
    idForm,
    id: signed(13),
    idPrefix: textOf(base, 14),
    idDigits,
    values: QUOTE_COLUMNS.map((_, index) => values[index] ?? 0),
    fieldCount: isQuotes ? values.length : 2,
  };
}

function readTimes(chain: Chain, times: readonly Mantissa[], count: number) {
  const { unitUs } = chain;
  let at = 2;
  return Array.from({ length: count }, () => {
    const receivedTimeUs = safeNumber(sumOf(chain.receivedUs, times[at++]!));
    chain.receivedUs = receivedTimeUs;
    const code = unitUs && safeNumber(times[at++]!);
    if (code > 0) {
      // Rounded down, also where the clock went back.
      const units = Math.floor(safeNumber(receivedTimeUs - chain.venueReceivedUs) / unitUs);
      const passedUs = safeNumber(((unzigzag(code - 1) as number) + units) * unitUs);
      chain.venueUs = safeNumber(chain.venueUs + passedUs);
      chain.venueReceivedUs = receivedTimeUs;
    }
    return { receivedTimeUs, venueTimeUs: code > 0 ? chain.venueUs : undefined };
  });
}

/** Powers of ten that a double holds exactly go up to here. */
const EXACT_SCALE_MAX = 22;

/** What a whole number at this scale is divided by; 0 if no double is that exactly. */
function powerOf(scale: number): number {
  return scale > EXACT_SCALE_MAX ? 0 : Number(`1e${scale}`);
}

/** A number as it is, as text, and as the integer that it is at its scale. */
function decimalOf(mantissa: Mantissa, scale: number, power: number): Decimal {
  const isNegative = mantissa < 0;
  const digits = String(isNegative ? -mantissa : mantissa).padStart(scale + 1, "0");
  const point = digits.length - scale;
  let end = digits.length;
  while (end > point && digits[end - 1] === "0") end -= 1;
  const plain = digits.slice(0, point) + (end > point ? `.${digits.slice(point, end)}` : "");
  const text = isNegative ? `-${plain}` : plain;
  // One division of two exact doubles is correctly rounded.
  const number = typeof mantissa === "number" && power > 0 ? mantissa / power : Number(text);
  return { number, text, mantissa };
}

function readTrades(chain: Chain, fields: Fields, count: number): Columns {
  const { idForm, idPrefix, idDigits } = chain;
  const codes = listOf(fields, 3);
  const sizes = listOf(fields, 4);
  const deltas = listOf(fields, 21);
  const texts = idForm === 2 ? textsOf(fields, 22) : [];
  const said = idForm === 1 && deltas.length > 0 ? deltas : idForm === 2 ? texts : sizes;
  assertFit([codes, sizes, said].every(({ length }) => length === count));
  const historical = numberOf(fields, 20) !== 0;
  const prices: Mantissa[] = [];
  const sides = codes.map((code) => {
    const [change, side] =
      typeof code === "number"
        ? [Math.floor(code / 4), code % 4]
        : [fromBigInt(code >> 2n), Number(code & 3n)];
    prices.push((chain.price = sumOf(chain.price, unzigzag(change))));
    return SIDES[side];
  });
  const ids = codes.map((_, index) => {
    if (idForm !== 1) return texts[index];
    chain.id = sumOf(chain.id, unzigzag(deltas[index] ?? 2));
    return idPrefix + String(chain.id).padStart(idDigits, "0");
  });
  // Literals, whose objects are far quicker than those that are put together.
  const eventOf: Columns["eventOf"] = (shared, own, [price, size], index) => ({
    type: "trade",
    topic: shared.names.topic,
    venue: shared.names.venue,
    symbol: shared.names.symbol,
    venueSymbol: shared.names.venueSymbol,
    epoch: shared.epoch,
    sequence: own.sequence,
    initial: shared.initial,
    venueTimeUs: own.venueTimeUs,
    receivedTimeUs: own.receivedTimeUs,
    publishedTimeUs: shared.publishedTimeUs,
    price: price!.number,
    priceText: price!.text,
    priceMantissa: price!.mantissa,
    priceScale: shared.priceScale,
    size: size!.number,
    sizeText: size!.text,
    sizeMantissa: size!.mantissa,
    sizeScale: shared.sizeScale,
    aggressorSide: sides[index],
    tradeId: ids[index] || undefined,
    historical,
  });
  return { values: [prices, sizes], eventOf };
}

function readQuotes(chain: Chain, fields: Fields, count: number): Columns {
  const masks = listOf(fields, 6).map(safeNumber);
  assertFit(masks.length === 0 || masks.length === count);
  const values = QUOTE_COLUMNS.map((column, field) => {
    const changes = listOf(fields, column);
    let next = 0;
    const entries: Mantissa[] = [];
    for (let index = 0; index < count; index += 1) {
      const isChanged =
        masks.length === 0 ? changes.length : Math.floor(masks[index]! / 2 ** field) % 2;
      // Past the end there is nothing, which is refused below.
      const change = isChanged ? unzigzag(changes[next++] ?? 0) : 0;
      entries.push((chain.values[field] = sumOf(chain.values[field]!, change)));
    }
    assertFit(next === changes.length);
    return entries;
  });
  const eventOf: Columns["eventOf"] = (shared, own, [bidPrice, bidSize, askPrice, askSize]) => ({
    type: "quote",
    topic: shared.names.topic,
    venue: shared.names.venue,
    symbol: shared.names.symbol,
    venueSymbol: shared.names.venueSymbol,
    epoch: shared.epoch,
    sequence: own.sequence,
    initial: shared.initial,
    venueTimeUs: own.venueTimeUs,
    receivedTimeUs: own.receivedTimeUs,
    publishedTimeUs: shared.publishedTimeUs,
    priceScale: shared.priceScale,
    sizeScale: shared.sizeScale,
    bidPrice: bidPrice!.number,
    bidPriceText: bidPrice!.text,
    bidPriceMantissa: bidPrice!.mantissa,
    bidSize: bidSize!.number,
    bidSizeText: bidSize!.text,
    bidSizeMantissa: bidSize!.mantissa,
    askPrice: askPrice!.number,
    askPriceText: askPrice!.text,
    askPriceMantissa: askPrice!.mantissa,
    askSize: askSize!.number,
    askSizeText: askSize!.text,
    askSizeMantissa: askSize!.mantissa,
  });
  return { values, eventOf };
}

function assertFit(isFit: boolean): void {
  if (!isFit) throw new RangeError("a column does not fit");
}
