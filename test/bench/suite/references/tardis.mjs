// The work of tardis-dev on a capture: each frame parsed, mapped to its normalized trades, quotes
// and book changes, and the changes applied to its order books.
import { cpuNs } from "../measure.mjs";
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

/**
 * A function that goes through the lines of a play and returns how many frames there were behind
 * the first ones, and the CPU time in `ns` that they took; undefined if tardis-dev cannot read the
 * capture. Mappers and books live as long as it does.
 */
export function createTardisWork({ venue, lines }, { quick }) {
  const exchange = EXCHANGES[venue];
  if (exchange === undefined) return undefined;
  const tardis = reference("tardis-dev", { quick });
  if (tardis === undefined) return undefined;
  const startedAt = new Date(lines.find((line) => line.atUs !== undefined).atUs / 1_000);
  const take = createReader(tardis, { exchange, startedAt });
  const work = (lines, startFrames) => {
    for (const text of snapshotsOf(lines)) take(text);
    const texts = framesOf(lines);
    for (let index = 0; index < startFrames; index += 1) take(texts[index]);
    const begin = cpuNs();
    for (let index = startFrames; index < texts.length; index += 1) take(texts[index]);
    return { frames: texts.length - startFrames, ns: cpuNs() - begin };
  };
  let events = 0;
  try {
    for (const text of [...snapshotsOf(lines), ...framesOf(lines)]) events += take(text);
  } catch (error) {
    process.stdout.write(`left out: tardis-dev cannot read ${venue} (${error.message})\n`);
    return undefined;
  }
  // A venue that has changed its messages since gives it nothing to do.
  return events < framesOf(lines).length / 2 ? undefined : work;
}

/** Takes a message and returns how many events came of it. */
function createReader(tardis, { exchange, startedAt }) {
  const mappers = [
    tardis.normalizeTrades(exchange, startedAt),
    tardis.normalizeBookChanges(exchange, startedAt),
    ...(exchange === "bitstamp" || exchange === "deribit" || exchange === "huobi"
      ? []
      : [tardis.normalizeBookTickers(exchange, startedAt)]),
  ];
  const books = new Map();
  return (text) => {
    const message = JSON.parse(text);
    let events = 0;
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
    return events;
  };
}

/** Frames that are JSON; words such as "pong" are left out. */
function framesOf(lines) {
  return lines.flatMap(({ kind, frame }) =>
    kind === "received" && (frame[0] === "{" || frame[0] === "[") ? [frame] : [],
  );
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
