// A change of a book's level: as the server keeps books (a window over the prices near the best),
// and as a sorted list, on recorded changes and on ones made here.
import { OrderBook, PriceLadder } from "@tickwire/proto/model";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { createOrderBook } from "#core/order-book.ts";
import { TickLadder } from "#core/tick-ladder.ts";
import { loadCapture } from "./captures.mjs";
import { alternate, row } from "./measure.mjs";
import { createRandom } from "../load/random.mjs";

const CAPTURES = ["binance-usdm-btcusdt-345s", "binance-btcusdt-345s", "coinbase-10-pairs"];
const CHANGES = 100_000;
const FRAMES_QUICK = 500;
const DEPTHS = [100, 1_000, 5_000, 20_000];
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Book events of a capture, as consumers of the venue's topics get them, by instrument. */
function recordedBooks(capture) {
  const books = new Map();
  const replay = new CaptureReplay({
    adapter: VENUES[capture.venue],
    bookDepth: 5_000,
    logger: SILENT,
    emit: (event) => {
      if (event.kind !== "book") return;
      const events = books.get(event.instrument) ?? [];
      books.set(event.instrument, events);
      events.push(event);
    },
  });
  for (const line of capture.lines) replay.take(line);
  replay.close();
  return [...books.values()];
}

function apply(book, event) {
  if (event.snapshot) book.applySnapshot(event);
  else book.applyDelta(event);
}

const levelsIn = (events) =>
  events.reduce((sum, { bids, asks }) => sum + bids.prices.length + asks.prices.length, 0);

/** Changes of one side of a book of so many levels, anywhere in it or near its best. */
function madeChanges(depth, { near }) {
  const random = createRandom();
  const best = 5_000_000;
  const prices = Array.from({ length: depth }, (_, index) => best + index);
  const snapshot = { prices, sizes: prices.map(() => 1 + random(1_000)) };
  const changedPrices = new Float64Array(CHANGES);
  const changedSizes = new Float64Array(CHANGES);
  for (let index = 0; index < CHANGES; index += 1) {
    changedPrices[index] = best + random(near ? Math.min(depth, 20) : depth);
    changedSizes[index] = random(3) === 0 ? 0 : 1 + random(1_000);
  }
  return { snapshot, prices: changedPrices, sizes: changedSizes };
}

async function measureMade(name, { snapshot, prices, sizes }, { rounds }) {
  const setAll = (ladder) => () => {
    ladder.replace(snapshot);
    for (let index = 0; index < CHANGES; index += 1) ladder.set(prices[index], sizes[index]);
    return CHANGES;
  };
  const samples = await alternate(
    {
      "as the server": setAll(new TickLadder("ask")),
      "sorted list": setAll(new PriceLadder("ask")),
    },
    { rounds },
  );
  const reference = samples["sorted list"];
  return Object.entries(samples).map(([kind, values]) =>
    row(name, kind, "ns/level", values, kind === "sorted list" ? {} : { reference }),
  );
}

const KINDS = { "as the server": createOrderBook, "sorted list": () => new OrderBook() };

/** Nanoseconds for each level that a change sets. `look` is what is read after each event. */
async function measure(name, books, { rounds, look = () => 0, passes = 1 }) {
  const levels = books.reduce((sum, events) => sum + levelsIn(events), 0);
  let seen = 0;
  const candidates = Object.fromEntries(
    Object.entries(KINDS).map(([kind, create]) => {
      // An instrument has one book for as long as it is followed.
      const kept = books.map(() => create());
      return [
        kind,
        () => {
          for (let pass = 0; pass < passes; pass += 1) {
            for (const [index, events] of books.entries()) {
              const book = kept[index];
              for (const event of events) {
                apply(book, event);
                seen += look(book);
              }
            }
          }
          return levels * passes;
        },
      ];
    }),
  );
  const samples = await alternate(
    { ...candidates, "sorted list again": candidates["sorted list"] },
    { rounds },
  );
  if (Number.isNaN(seen)) throw new Error("a price is no number");
  const reference = samples["sorted list"];
  return Object.entries(samples).map(([kind, values]) =>
    row(name, kind, "ns/level", values, kind === "sorted list" ? {} : { reference }),
  );
}

export const about = "changes of books, as the server keeps them and as a sorted list";

export async function run({ rounds, quick, only = "" }) {
  const rows = [];
  const add = async (name, books, options) => {
    if (name.includes(only)) rows.push(...(await measure(name, books, { rounds, ...options })));
  };
  for (const name of quick ? CAPTURES.slice(2) : CAPTURES) {
    const options = quick ? { framesMax: FRAMES_QUICK } : {};
    const capture = name.includes(only) ? await loadCapture(name, options) : undefined;
    if (capture === undefined) continue;
    const books = recordedBooks(capture);
    await add(name, books, { passes: quick ? 1 : 3 });
    await add(`${name}, best`, books, {
      look: (book) => Number(book.bestBid()?.price ?? 0),
      passes: 3,
    });
    await add(`${name}, top 20`, books, { look: (book) => book.bids(20).prices.length });
  }
  for (const depth of quick ? DEPTHS.slice(0, 1) : DEPTHS) {
    for (const near of [false, true]) {
      const name = `${near ? "near the best of" : "uniform over"} ${depth} levels`;
      if (name.includes(only))
        rows.push(...(await measureMade(name, madeChanges(depth, { near }), { rounds })));
    }
  }
  return rows;
}
