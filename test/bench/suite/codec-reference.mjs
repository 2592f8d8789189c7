// What a program does with protobufjs's generated classes if it begins and ends where the codec
// does: the differences of a chain are made from the columns of numbers that a publisher has, and
// sums of what was read become rows with texts of ids. It is written for the events of this
// benchmark alone: times in microseconds, ids that are numbers, safe integers everywhere.
import assert from "node:assert/strict";
import { rowsOf } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";

const CHANNELS = { trades: 1, quotes: 2, books: 3 };
const RESIDUE_MODULUS = 127;
const ANCHOR_BATCHES = 64;

function zigzag(value) {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(code) {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

/** protobufjs reads integers of 64 bits as objects. */
function number(value) {
  return typeof value === "number" ? value : value.toNumber();
}

/** Numbers of batches as messages of the bus, one after the other. */
export class ReferenceWriter {
  #kind;
  #epoch;
  #sequence = 0;
  #batches = 0;
  #state;
  /** The last of what V8 would else forget the looks of, and compile everything anew. */
  alive;

  constructor({ kind, epoch }) {
    this.#kind = kind;
    this.#epoch = epoch;
  }

  write(columns, publishedTimeUs) {
    const rebase = this.#state === undefined;
    this.#state ??= startOf(columns);
    const { count } = columns;
    const base = this.#base(columns);
    const last = this.#sequence + count;
    const batch = { times: this.#times(columns, last % RESIDUE_MODULUS, publishedTimeUs) };
    this.#sequence = last;
    this.#batches += 1;
    if (this.#batches % ANCHOR_BATCHES === 0) batch.lastSequence = last;
    if (this.#kind === "trades") this.#trades(columns, batch);
    else if (this.#kind === "quotes") this.#quotes(columns, batch);
    else this.#books(columns, batch);
    return tickwire.bus.v1.BusBatch.encode({
      batch,
      count,
      publishedTimeUs,
      rebase,
      base,
    }).finish();
  }

  #base({ priceScale, sizeScale }) {
    const state = this.#state;
    const base = {
      channel: CHANNELS[this.#kind],
      epoch: this.#epoch,
      sequence: this.#sequence,
      receivedTimeUs: state.received,
      venueTimeOffsetUs: state.venue - state.received,
      venueTimeReceivedOffsetUs: state.venueReceived - state.received,
      venueTimeUnitUs: 1,
    };
    if (this.#kind === "quotes") {
      base.values = [...state.values];
      base.scales = [priceScale, sizeScale, priceScale, sizeScale];
      return base;
    }
    base.priceScale = priceScale;
    base.sizeScale = sizeScale;
    base.price = state.price;
    if (this.#kind === "books") base.askPrice = state.askPrice;
    else {
      base.tradeIdForm = 1;
      base.tradeId = state.tradeId;
    }
    return base;
  }

  #times({ count, receivedTimesUs, venueTimesUs }, residue, publishedTimeUs) {
    const state = this.#state;
    const times = [residue, zigzag(publishedTimeUs - receivedTimesUs[count - 1])];
    for (let index = 0; index < count; index += 1) {
      const received = receivedTimesUs[index];
      const venue = venueTimesUs[index];
      times.push(received - state.received);
      times.push(1 + zigzag(venue - state.venue - (received - state.venueReceived)));
      state.received = received;
      state.venueReceived = received;
      state.venue = venue;
    }
    return times;
  }

  #trades({ count, prices, sizes, sides, ids }, batch) {
    const state = this.#state;
    const deltas = [];
    let follow = true;
    batch.prices = [];
    batch.sizes = [];
    for (let index = 0; index < count; index += 1) {
      batch.prices.push(4 * zigzag(prices[index] - state.price) + sides[index]);
      batch.sizes.push(sizes[index]);
      deltas.push(ids[index] - state.tradeId);
      follow &&= ids[index] === state.tradeId + 1;
      state.price = prices[index];
      state.tradeId = ids[index];
    }
    if (!follow) batch.tradeIdDeltas = deltas;
  }

  /** Without `changes`, which is what a program would do that does not count bytes. */
  #quotes({ count, bidPrices, bidSizes, askPrices, askSizes }, batch) {
    const { values } = this.#state;
    for (const [field, [name, column]] of Object.entries({
      bidPrices,
      bidSizes,
      askPrices,
      askSizes,
    }).entries()) {
      const differences = [];
      let isChanged = false;
      for (let index = 0; index < count; index += 1) {
        const difference = column[index] - values[field];
        isChanged ||= difference !== 0;
        differences.push(difference);
        values[field] = column[index];
      }
      if (isChanged) batch[name] = differences;
    }
  }

  #books({ count, bidCounts, askCounts, prices, sizes }, batch) {
    const state = this.#state;
    let level = 0;
    batch.prices = [];
    batch.sizes = [];
    batch.levelCounts = [];
    for (let index = 0; index < count; index += 1) {
      const asksStart = level + bidCounts[index];
      const end = asksStart + askCounts[index];
      if (count > 1) batch.levelCounts.push(end - level);
      for (; level < end; level += 1) {
        const isAsk = level >= asksStart;
        const removed = sizes[level] === 0 ? 1 : 0;
        const before = isAsk ? state.askPrice : state.price;
        batch.prices.push(4 * zigzag(prices[level] - before) + (isAsk ? 2 : 0) + removed);
        if (removed === 0) batch.sizes.push(sizes[level]);
        if (isAsk) state.askPrice = prices[level];
        else state.price = prices[level];
      }
    }
  }
}

function startOf({ kind, receivedTimesUs, venueTimesUs, ...columns }) {
  const state = {
    received: receivedTimesUs[0],
    venueReceived: receivedTimesUs[0],
    venue: venueTimesUs[0],
  };
  if (kind === "quotes") {
    const { bidPrices, bidSizes, askPrices, askSizes } = columns;
    return { ...state, values: [bidPrices[0], bidSizes[0], askPrices[0], askSizes[0]] };
  }
  const price = columns.prices[0];
  return kind === "trades"
    ? { ...state, price, tradeId: columns.ids[0] - 1 }
    : { ...state, price, askPrice: columns.prices[columns.bidCounts[0]] };
}

const SIDES = ["none", "buyer", "seller", "none"];

/** Rows of the batches of a chain, the first of which has its base. */
export class ReferenceReader {
  #kind;
  #state;
  /** In the same way: the batch that had the base, and the last. */
  alive = { based: undefined, last: undefined };

  constructor(kind) {
    this.#kind = kind;
  }

  read(bytes) {
    const batch = tickwire.v1.Batch.decode(bytes);
    this.alive.last = batch;
    if (batch.base !== null && batch.base !== undefined) {
      this.alive.based = batch;
      this.#state = stateOf(batch.base);
    }
    const times = this.#times(batch.times);
    if (this.#kind === "trades") return this.#trades(batch, times);
    return this.#kind === "quotes" ? this.#quotes(batch, times) : this.#books(batch, times);
  }

  #times(times) {
    const state = this.#state;
    const rows = [];
    for (let at = 2; at < times.length; at += 2) {
      const received = state.received + number(times[at]);
      state.venue += unzigzag(number(times[at + 1]) - 1) + received - state.venueReceived;
      state.received = received;
      state.venueReceived = received;
      rows.push({ venueTimeUs: state.venue, receivedTimeUs: received });
    }
    return rows;
  }

  #trades({ prices, sizes, tradeIdDeltas }, times) {
    const state = this.#state;
    const { priceScale, sizeScale } = state;
    return times.map(({ venueTimeUs, receivedTimeUs }, index) => {
      const code = number(prices[index]);
      state.price += unzigzag(Math.floor(code / 4));
      state.tradeId += tradeIdDeltas.length > 0 ? number(tradeIdDeltas[index]) : 1;
      return {
        venueTimeUs,
        receivedTimeUs,
        priceMantissa: state.price,
        priceScale,
        sizeMantissa: number(sizes[index]),
        sizeScale,
        aggressorSide: SIDES[code % 4],
        tradeId: String(state.tradeId),
        historical: false,
      };
    });
  }

  #quotes(batch, times) {
    const { values, priceScale, sizeScale } = this.#state;
    const columns = [batch.bidPrices, batch.bidSizes, batch.askPrices, batch.askSizes];
    const { changes } = batch;
    const next = [0, 0, 0, 0];
    return times.map(({ venueTimeUs, receivedTimeUs }, index) => {
      const mask = changes.length > 0 ? number(changes[index]) : 15;
      for (let field = 0; field < 4; field += 1) {
        if (columns[field].length === 0 || (mask & (1 << field)) === 0) continue;
        values[field] += number(columns[field][next[field]]);
        next[field] += 1;
      }
      const [bidPriceMantissa, bidSizeMantissa, askPriceMantissa, askSizeMantissa] = values;
      return {
        venueTimeUs,
        receivedTimeUs,
        priceScale,
        sizeScale,
        bidPriceMantissa,
        bidSizeMantissa,
        askPriceMantissa,
        askSizeMantissa,
      };
    });
  }

  #books({ prices, sizes, levelCounts }, times) {
    const state = this.#state;
    const { priceScale, sizeScale } = state;
    let level = 0;
    let sized = 0;
    return times.map(({ venueTimeUs, receivedTimeUs }, index) => {
      const bids = { prices: [], sizes: [] };
      const asks = { prices: [], sizes: [] };
      const end = level + (levelCounts.length > 0 ? levelCounts[index] : prices.length);
      for (; level < end; level += 1) {
        const code = number(prices[level]);
        const isAsk = code % 4 >= 2;
        const difference = unzigzag(Math.floor(code / 4));
        if (isAsk) state.askPrice += difference;
        else state.price += difference;
        const side = isAsk ? asks : bids;
        side.prices.push(isAsk ? state.askPrice : state.price);
        side.sizes.push(code % 2 === 1 ? 0 : number(sizes[sized]));
        if (code % 2 === 0) sized += 1;
      }
      const snapshot = false;
      return { venueTimeUs, receivedTimeUs, snapshot, priceScale, sizeScale, bids, asks };
    });
  }
}

function stateOf(base) {
  const received = number(base.receivedTimeUs);
  const [priceScale, sizeScale] =
    base.scales.length > 0 ? base.scales : [base.priceScale, base.sizeScale];
  return {
    received,
    venue: received + number(base.venueTimeOffsetUs),
    venueReceived: received + number(base.venueTimeReceivedOffsetUs),
    priceScale,
    sizeScale,
    price: number(base.price),
    askPrice: number(base.askPrice),
    tradeId: number(base.tradeId),
    values: base.values.map(number),
  };
}

/** Throws unless the references give what the codec gives: else their figures mean nothing. */
export function assertAlike({ kind, epoch, parts, chain, fillColumns, writer, reader }) {
  const reference = new ReferenceWriter({ kind, epoch });
  const readerOfReference = new ReferenceReader(kind);
  for (const [index, rows] of parts.entries()) {
    const columns = fillColumns(rows);
    const written = tickwire.bus.v1.BusBatch.decode(reference.write(columns, epoch));
    const { bytes } = writer.writeColumns(columns, { publishedTimeUs: epoch });
    const expected = tickwire.bus.v1.BusBatch.decode(bytes);
    // Which quotes change what may be said in two ways.
    if (kind !== "quotes") assert.deepEqual(written, expected);
    assert.deepEqual(written.base, expected.base);
    const { rows: read } = rowsOf(reader.read(chain[index]).batch);
    assert.deepEqual(readerOfReference.read(chain[index]), read);
  }
}
