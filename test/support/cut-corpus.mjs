// Cuts test/fixtures/corpus out of recorded captures: of each, one instrument and a few frames.
//   node test/support/cut-corpus.mjs FOLDER-OF-CAPTURES
// Frames stay as they were sent, except that whole books may lose the levels far from the best
// price, and lists of instruments all but the one.
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const CORPUS = new URL("../fixtures/corpus/", import.meta.url);

/**
 * `instrument`: what the venue calls the one that is kept; without it frames are kept as they come,
 * where a number counts them all. `frames`: so many of its frames are kept. `levels`: so many of
 * each side of a whole book are kept; without it every level.
 */
const PIECES = [
  { capture: "binance-4-small-pairs", instrument: "NKNUSDT", frames: 40, levels: 40 },
  { capture: "binance-usdm-4-pairs", instrument: "KEEPUSDT", frames: 40, levels: 40 },
  { capture: "bitfinex-7-pairs", frames: 70 },
  { capture: "bitget-v1-10-pairs", instrument: "GOGUSDT", frames: 28, levels: 25 },
  { capture: "bitstamp-10-pairs", instrument: "GALAEUR", frames: 40, levels: 40 },
  { capture: "deribit-10-options", instrument: "BTC-31DEC21-34000-P", frames: 20 },
  { capture: "gateio-10-pairs", instrument: "NANO_USDT", frames: 30, levels: 40 },
  { capture: "kraken-v1-10-pairs", instrument: "XMR/USD", frames: 40, levels: 60 },
  { capture: "kraken-v2-ethusd", frames: 45 },
  { capture: "kucoin-10-pairs", instrument: "ANKR-BTC", frames: 40, levels: 40 },
  { capture: "okx-3-instruments", instrument: "BTC-USD-220527", frames: 30, levels: 40 },
];

/** Greetings and acknowledgements that name no instrument. */
const CONTROL = /"event":"(subscribe|systemStatus)"|"type":"(welcome|ack)"/;

function cut(lines, piece) {
  const [head, ...rest] = lines;
  const kept = [{ ...head, source: `${head.source}, reduced` }];
  const seen = new Set();
  let frames = 0;
  for (const line of rest) {
    if (frames === piece.frames) break;
    const part = reduce(line, piece, seen);
    if (part === undefined) continue;
    kept.push(part);
    if (part.kind === "received" && isAbout(part.text ?? "", piece)) frames += 1;
  }
  const busy = new Set(kept.filter(({ kind }) => kind === "received").map((l) => l.connection));
  return kept.filter(({ kind, connection }) => kind !== "open" || busy.has(connection));
}

/** What is kept of a line, or undefined. */
function reduce(line, piece, seen) {
  if (piece.instrument === undefined) return line;
  switch (line.kind) {
    case "http":
      return reduceAnswer(line, piece, seen);
    case "open":
      return { ...line, url: reduceStreams(line.url, piece) };
    case "sent": {
      if (!isAbout(line.text, piece)) return undefined;
      return { ...line, text: JSON.stringify(onlyAbout(JSON.parse(line.text), piece)) };
    }
    case "received": {
      if (isAbout(line.text, piece)) return { ...line, text: reduceBook(line.text, piece) };
      // Of greetings and acknowledgements that name no instrument, one of each kind.
      const isControl = CONTROL.test(line.text);
      return isControl ? once(line.text.replace(/\d+/g, "#"), seen, line) : undefined;
    }
    default:
      return line;
  }
}

function once(key, seen, line) {
  if (seen.has(key)) return undefined;
  seen.add(key);
  return line;
}

function reduceAnswer(line, piece, seen) {
  const body = JSON.parse(line.body);
  if (isAbout(line.url, piece)) return { ...line, body: reduceBook(line.body, piece) };
  // The whole name: options are called as their future, and then some.
  if (!isAbout(JSON.stringify(body), { instrument: `"${piece.instrument}"` })) return undefined;
  return once(line.url, seen, { ...line, body: JSON.stringify(onlyAbout(body, piece)) });
}

/** Of `?streams=a/b/c` those of the instrument. */
function reduceStreams(url, piece) {
  const [address, streams] = url.split("?streams=");
  if (streams === undefined) return url;
  const kept = streams.split("/").filter((stream) => isAbout(stream, piece));
  return `${address}?streams=${kept.join("/")}`;
}

/** Of long lists and tables the entries of the instrument; everything else stays. */
function onlyAbout(value, piece) {
  if (Array.isArray(value)) {
    const isList = value.length > 3 && value.some((item) => isAbout(JSON.stringify(item), piece));
    const items = isList ? value.filter((item) => isAbout(JSON.stringify(item), piece)) : value;
    return items.map((item) => onlyAbout(item, piece));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const isTable = entries.length > 60;
  return Object.fromEntries(
    entries
      .filter(([, item]) => !isTable || isAbout(JSON.stringify(item), piece))
      .map(([key, item]) => [key, onlyAbout(item, piece)]),
  );
}

/** The text, with sides of books cut to the best levels. All numbers in them are texts. */
function reduceBook(text, { levels }) {
  if (levels === undefined) return text;
  const isLong = (value) =>
    Array.isArray(value) && value.length > levels && Array.isArray(value[0]);
  const value = JSON.parse(text);
  let isReduced = false;
  const reduced = JSON.stringify(value, (_, item) => {
    if (!isLong(item)) return item;
    isReduced = true;
    return item.slice(0, levels);
  });
  return isReduced ? reduced : text;
}

function isAbout(text, { instrument }) {
  return instrument === undefined || text.toLowerCase().includes(instrument.toLowerCase());
}

const [folder] = process.argv.slice(2);
for (const piece of PIECES) {
  const text = gunzipSync(readFileSync(`${folder}/${piece.capture}.ndjson.gz`)).toString();
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const kept = cut(lines, piece);
  const name = piece.capture.replace(/-(\d+-.*|ethusd)$/, "");
  writeFileSync(
    new URL(`${name}.ndjson`, CORPUS),
    kept.map((l) => `${JSON.stringify(l)}\n`).join(""),
  );
}
