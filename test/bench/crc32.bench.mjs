// Nanoseconds for one checksum of a book, by our table and by zlib, on texts as Kraken, OKX and
// Bitget join them. Runs on the build: `npm run build && node test/bench/crc32.bench.mjs`. The
// candidates alternate within a round; read the ratios.
import { crc32 as zlibCrc32 } from "node:zlib";
import { CRC32_START, finishCrc32, updateCrc32 } from "@tickwire/proto/model";

const ROUNDS = 41;
const TEXTS = 2_000;

/** Prices and sizes of both sides: integers without a separator, decimals with one. */
function pieces(seed, { levels, separator }) {
  const texts = [];
  for (let index = 0; index < 4 * levels; index++) {
    const digits = String(6_300_490 + ((seed * 7919 + index * 104_729) % 90_000));
    texts.push(separator === "" ? digits : `${digits.slice(0, -2)}.${digits.slice(-2)}`);
  }
  return texts;
}

const CANDIDATES = {
  "table, piece by piece": (texts, separator) => {
    let state = CRC32_START;
    let before = "";
    for (const text of texts) {
      state = updateCrc32(state, before + text);
      before = separator;
    }
    return finishCrc32(state);
  },
  "table, joined": (texts, separator) =>
    finishCrc32(updateCrc32(CRC32_START, texts.join(separator))),
  "zlib, joined": (texts, separator) => zlibCrc32(texts.join(separator)),
  "zlib, added up": (texts, separator) => {
    let text = "";
    let before = "";
    for (const piece of texts) {
      text += before + piece;
      before = separator;
    }
    return zlibCrc32(text);
  },
};

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(name, options) {
  const books = Array.from({ length: TEXTS }, (_, seed) => pieces(seed, options));
  const times = Object.fromEntries(Object.keys(CANDIDATES).map((candidate) => [candidate, []]));
  const results = new Set();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [candidate, run] of Object.entries(CANDIDATES)) {
      const start = process.hrtime.bigint();
      let sum = 0;
      for (const texts of books) sum += run(texts, options.separator);
      times[candidate].push(Number(process.hrtime.bigint() - start) / TEXTS);
      results.add(sum);
    }
  }
  if (results.size !== 1) throw new Error(`the candidates disagree about ${name}`);
  const figures = Object.entries(times).map(
    ([candidate, values]) => `${candidate} ${median(values).toFixed(0)} ns`,
  );
  process.stdout.write(`${name}: ${figures.join("; ")}\n`);
}

measure("Kraken, 10 levels", { levels: 10, separator: "" });
measure("OKX and Bitget, 25 levels", { levels: 25, separator: ":" });
