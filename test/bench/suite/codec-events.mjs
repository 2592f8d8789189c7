// The events that the codec is measured with, and what it makes of them.
import {
  BatchWriter,
  elementLength,
  PendingBooks,
  PendingQuotes,
  PendingTrades,
  putElement,
} from "@tickwire/proto/codec";
import { createRandom } from "../load/random.mjs";

/** Few enough to stay in the cache of a core, as events do that have just come. */
const EVENTS = 2_048;
export const EPOCH = 1_767_225_600_000_000;

const random = createRandom();

function trades() {
  let price = 42_000_00;
  let time = EPOCH;
  let id = 3_141_592_653;
  return Array.from({ length: EVENTS }, () => {
    price += random(21) - 10;
    time += random(3_000);
    id += 1;
    return {
      venueTimeUs: time - 40_000 - random(2_000),
      receivedTimeUs: time,
      priceMantissa: price,
      priceScale: 2,
      sizeMantissa: 1 + random(5_000_000),
      sizeScale: 8,
      ...(random(2) === 0
        ? { aggressorSide: "buyer", side: 1 }
        : { aggressorSide: "seller", side: 2 }),
      tradeId: String(id),
      id,
      historical: false,
    };
  });
}

function quotes() {
  let row = {
    bidPriceMantissa: 42_000_00,
    bidSizeMantissa: 5,
    askPriceMantissa: 42_000_01,
    askSizeMantissa: 7,
  };
  return trades().map(({ venueTimeUs, receivedTimeUs }) => {
    if (random(3) === 0) {
      const step = random(5) - 2;
      row = {
        ...row,
        bidPriceMantissa: row.bidPriceMantissa + step,
        askPriceMantissa: row.askPriceMantissa + step,
      };
    }
    row = { ...row, [random(2) === 0 ? "bidSizeMantissa" : "askSizeMantissa"]: random(90_000) };
    return { venueTimeUs, receivedTimeUs, priceScale: 2, sizeScale: 3, ...row };
  });
}

function books() {
  const columns = (mid, sign) => {
    const prices = [];
    const sizes = [];
    for (let level = 0; level < 5; level += 1) {
      prices.push(mid + sign * (1 + random(400)));
      sizes.push(random(4) === 0 ? 0 : 1 + random(5_000_000));
    }
    return { prices, sizes };
  };
  return trades().map(({ venueTimeUs, receivedTimeUs, priceMantissa }) => ({
    venueTimeUs,
    receivedTimeUs,
    snapshot: false,
    priceScale: 2,
    sizeScale: 8,
    bids: columns(priceMantissa, -1),
    asks: columns(priceMantissa, 1),
  }));
}

/** Writes rows into columns that are empty, as whoever reads a venue's frame does. */
export function fill(columns, kind, rows) {
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index];
    columns.reserve();
    columns.receivedTimesUs[index] = row.receivedTimeUs;
    columns.venueTimesUs[index] = row.venueTimeUs;
    if (kind === "trades") {
      columns.prices[index] = row.priceMantissa;
      columns.sizes[index] = row.sizeMantissa;
      columns.sides[index] = row.side;
      columns.ids[index] = row.id;
    } else if (kind === "quotes") {
      columns.bidPrices[index] = row.bidPriceMantissa;
      columns.bidSizes[index] = row.bidSizeMantissa;
      columns.askPrices[index] = row.askPriceMantissa;
      columns.askSizes[index] = row.askSizeMantissa;
    } else {
      fillLevels(columns, row.bids);
      fillLevels(columns, row.asks);
      columns.bidCounts[index] = row.bids.prices.length;
      columns.askCounts[index] = row.asks.prices.length;
    }
    columns.count = index + 1;
  }
}

function fillLevels(columns, { prices, sizes }) {
  columns.reserveLevels(prices.length);
  const first = columns.levelCount;
  for (let index = 0; index < prices.length; index += 1) {
    columns.prices[first + index] = prices[index];
    columns.sizes[first + index] = sizes[index];
  }
  columns.levelCount = first + prices.length;
}

const COLUMNS_OF = { trades: PendingTrades, quotes: PendingQuotes, books: PendingBooks };

export function columnsOf(kind, { priceScale, sizeScale }) {
  const columns = new COLUMNS_OF[kind]();
  columns.priceScale = priceScale;
  columns.sizeScale = sizeScale;
  return columns;
}

export function chained(kind, parts) {
  const writer = new BatchWriter({ kind, epoch: EPOCH });
  return parts.flatMap((rows, index) =>
    writer.write({ kind, rows }, { publishedTimeUs: EPOCH }).map((batch) => {
      const withBase = index === 0 || batch.rebase;
      const bytes = new Uint8Array(elementLength(batch, 5, withBase));
      putElement(bytes, 0, batch, { topicId: 5, withBase });
      // Tag and length: one byte each, or two for the length.
      return bytes.subarray(bytes.length < 130 ? 2 : bytes.length < 16_387 ? 3 : 4);
    }),
  );
}

/** The events of each channel, the same in every process. */
export function allEvents() {
  return { trades: trades(), quotes: quotes(), books: books() };
}

export function inParts(rows, perBatch) {
  const parts = [];
  for (let at = 0; at < rows.length; at += perBatch) parts.push(rows.slice(at, at + perBatch));
  return parts;
}
