// The work of tardis-dev on a capture: each frame parsed, mapped to its normalized trades, quotes
// and book changes, and the changes applied to its order books.
import { reference } from "./installed.mjs";

/** Its names of our venues. */
const EXCHANGES = {
  "binance-usdm": "binance-futures",
  binance: "binance",
  bitfinex: "bitfinex",
  bitstamp: "bitstamp",
  coinbase: "coinbase",
  deribit: "deribit",
  htx: "huobi",
  "kraken-v1": "kraken",
  kucoin: "kucoin",
  okx: "okex",
};

/** What the pass before made: without any of it, V8 forgets what its code was compiled for. */
const alive = { mappers: undefined, books: undefined };

/** Does a pass and returns how many events came of it; undefined if it cannot read the capture. */
export function createTardisWork({ venue, lines }, texts, { quick }) {
  const exchange = EXCHANGES[venue];
  if (exchange === undefined) return undefined;
  const tardis = reference("tardis-dev", { quick });
  if (tardis === undefined) return undefined;
  const startedAt = new Date(lines.find((line) => line.atUs !== undefined).atUs / 1_000);
  const messages = [...snapshotsOf(lines), ...texts];
  const work = () => pass(tardis, { exchange, startedAt, messages });
  let events;
  try {
    events = work();
  } catch (error) {
    process.stdout.write(`left out: tardis-dev cannot read ${venue} (${error.message})\n`);
    return undefined;
  }
  // A venue that has changed its messages since gives it nothing to do.
  return events < texts.length / 2 ? undefined : work;
}

function pass(tardis, { exchange, startedAt, messages }) {
  const mappers = [
    tardis.normalizeTrades(exchange, startedAt),
    tardis.normalizeBookChanges(exchange, startedAt),
    ...(exchange === "bitstamp" || exchange === "deribit" || exchange === "huobi"
      ? []
      : [tardis.normalizeBookTickers(exchange, startedAt)]),
  ];
  const books = new Map();
  alive.mappers = mappers;
  alive.books = books;
  let events = 0;
  for (const text of messages) {
    const message = JSON.parse(text);
    for (const mapper of mappers) {
      if (!mapper.canHandle(message)) continue;
      for (const event of mapper.map(message, startedAt) ?? []) {
        events += 1;
        if (event.type !== "book_change") continue;
        let book = books.get(event.symbol);
        if (book === undefined) {
          book = new tardis.OrderBook();
          books.set(event.symbol, book);
        }
        book.update(event);
      }
    }
  }
  return events;
}

/** Snapshots by REST, in the form in which its recordings have them. */
function snapshotsOf(lines) {
  return lines.flatMap(({ kind, url, body }) => {
    const symbol = kind === "http" ? /\/depth\?symbol=(\w+)/.exec(url)?.[1] : undefined;
    if (symbol === undefined) return [];
    const stream = `${symbol.toLowerCase()}@depthSnapshot`;
    return [`{"stream":"${stream}","generated":true,"data":${body}}`];
  });
}
