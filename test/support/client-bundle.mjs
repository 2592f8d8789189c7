// The TypeScript client as a web page gets it: bundled and minified by vite, then compressed.
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const ENTRY_ID = "entry.js";
const ROOT = join(import.meta.dirname, "../..");

/** What a page may import of the client, by what it does with it. */
export const CLIENT_PAGES = {
  "every export": `export * from "@tickwire/client";`,
  everything: `
    import { connect } from "@tickwire/client";
    const client = await connect(location.origin);
    client.onTrades("binance:*", (trade) => console.log(trade.priceText));
    client.onCandles("binance:BTC-USDT", (candle) => console.log(candle.closeText));
    document.title = String((await client.rpc.getServerTime({})).serverTimeUs);
    for await (const book of client.book("binance:BTC-USDT")) console.log(book.bbo);
  `,
  "streams only": `
    import { connect } from "@tickwire/client/streams";
    const client = await connect(location.origin);
    for await (const trade of client.trades("binance:BTC-USDT")) document.title = trade.priceText;
  `,
  "ticks only": `
    import { connect } from "@tickwire/client/ticks";
    const client = await connect(location.origin);
    for await (const trade of client.trades("binance:BTC-USDT")) document.title = trade.priceText;
  `,
  lite: `
    import { connect } from "@tickwire/client/lite";
    const client = await connect(location.origin);
    for await (const trade of client.trades("binance:BTC-USDT")) document.title = trade.priceText;
  `,
  "rpc only": `
    import { connect } from "@tickwire/client/rpc";
    const client = await connect(location.origin);
    document.title = String((await client.rpc.getServerTime({})).serverTimeUs);
  `,
};

/**
 * Bundles one module's text for browsers, from the sources; it may import the client. The result is
 * the entry, with `chunks`, which a page loads at start, the entry first, and `lateChunks`, of
 * which it loads each when it first needs it.
 */
export async function bundleForBrowser(source) {
  // How vite loads late chunks is vite's own, and other bundlers have theirs.
  const all = (await chunksForBrowser(source)).filter(
    ({ moduleIds }) => !moduleIds.every((id) => id.startsWith("\0vite/preload-helper")),
  );
  const byName = new Map(all.map((chunk) => [chunk.fileName, chunk]));
  const entry = byName.get(ENTRY_ID);
  if (entry === undefined) throw new Error("the bundle has no entry");
  const chunks = new Set([entry]);
  for (const { imports } of chunks) {
    for (const name of imports) if (byName.has(name)) chunks.add(byName.get(name));
  }
  return { ...entry, chunks: [...chunks], lateChunks: all.filter((chunk) => !chunks.has(chunk)) };
}

/** The same as a server has it: every file by its name, the entry under the one given. */
export async function filesForBrowser(source, entryName = ENTRY_ID) {
  const chunks = await chunksForBrowser(source, entryName);
  return new Map(chunks.map(({ fileName, code }) => [fileName, code]));
}

/** How vite loads late chunks stands in a chunk of its own, wherever it is used. */
const HELPER_APART = [{ name: "preload-helper", test: /vite\/preload-helper/ }];

async function chunksForBrowser(source, entryFileNames = ENTRY_ID) {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["source", "browser", "module"] },
    build: {
      write: false,
      sourcemap: "hidden",
      minify: true,
      target: "es2022",
      // In library mode vite keeps the white space of ES modules, which no page would.
      rolldownOptions: {
        input: ENTRY_ID,
        preserveEntrySignatures: "allow-extension",
        output: { format: "es", entryFileNames, codeSplitting: { groups: HELPER_APART } },
      },
    },
    plugins: [
      {
        name: "entry",
        resolveId: {
          order: "pre",
          handler: (id) => (id.endsWith(ENTRY_ID) ? `\0${ENTRY_ID}` : null),
        },
        load: (id) => (id === `\0${ENTRY_ID}` ? source : null),
      },
    ],
  });
  const { output } = Array.isArray(result) ? result[0] : result;
  return output.filter(({ type }) => type === "chunk");
}

/**
 * Bytes of files as they are, by gzip at level 9 and by brotli at level 11, each file by itself, as
 * a page loads them.
 */
export function transferSizes(...texts) {
  const sizes = texts.map(sizesOf);
  const sum = (name) => sizes.reduce((total, each) => total + each[name], 0);
  return { bytes: sum("bytes"), gzipBytes: sum("gzipBytes"), brotliBytes: sum("brotliBytes") };
}

function sizesOf(text) {
  const bytes = Buffer.from(text);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return {
    bytes: bytes.length,
    gzipBytes: gzipSync(bytes, { level: 9 }).length,
    brotliBytes: brotliCompressSync(bytes, { params }).length,
  };
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The numbers of one segment of a source map. */
function segmentOf(text) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const letter of text) {
    const digit = BASE64.indexOf(letter);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit >= 32) continue;
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

/** The pieces of a bundle in order, each with the module that it comes from by the source map. */
function piecesOf({ code, map }) {
  const pieces = [];
  let source = 0;
  const lines = code.split("\n");
  map.mappings.split(";").forEach((mappings, index) => {
    let column = 0;
    let owner;
    const line = lines[index] ?? "";
    const add = (end) => {
      pieces.push({ path: owner, text: line.slice(column, end) });
    };
    for (const text of mappings.split(",").filter(Boolean)) {
      const [columns, sources = 0] = segmentOf(text);
      add(column + columns);
      column += columns;
      source += sources;
      owner = map.sources[source];
    }
    add(line.length);
  });
  return pieces.map(({ path, text }) => ({ module: moduleName(path ?? ""), text }));
}

/** Minified bytes that each module has in chunks, largest first, by their source maps. */
export function bytesByModule(chunks) {
  const bytes = new Map();
  for (const { module, text } of chunks.flatMap(piecesOf)) {
    if (module !== "") bytes.set(module, (bytes.get(module) ?? 0) + text.length);
  }
  return [...bytes]
    .map(([module, count]) => ({ module, bytes: count }))
    .sort((a, b) => b.bytes - a.bytes);
}

/** Parts of the client in words, each with the modules that are it; the first that fits counts. */
const ROOMS = [
  ["connection, session, liveness, pace", /client.*(session|host|connect|backoff)/],
  ["errors and their texts", /errors|wire-error/],
  ["topics: subscribing, resuming, continuity", /typescript\/src\/topics/],
  ["streams, buffers, callbacks", /typescript\/src\/streams/],
  ["events", /typescript\/src\/events\/(?!book)|vocabulary|gen\/events/],
  ["books", /events\/book|order-book|price-ladder/],
  ["calls and their answers", /typescript\/src\/(rpc|client)|market-data-service|rpc-method/],
  ["reader of batches", /codec\/batch|batch-rows|difference|-field\.ts/],
  [
    "control messages and their codec",
    /codec\/(message|byte-writer|frame|wire-names)|gen\/.*-codecs/,
  ],
  ["numbers and texts", /decimal|byte-reader|wide-integers/],
];

/** What each part adds to chunks: their size by gzip less that of the rest. */
export function gzipByRoom(chunks) {
  const pieces = chunks.flatMap(piecesOf);
  const roomOf = (module) => ROOMS.find(([, modules]) => modules.test(module))?.[0] ?? "the rest";
  const sizeOf = (list) => transferSizes(list.map(({ text }) => text).join("")).gzipBytes;
  const whole = sizeOf(pieces);
  return [...ROOMS.map(([room]) => room), "the rest"]
    .map((room) => ({
      room,
      gzipBytes: whole - sizeOf(pieces.filter(({ module }) => roomOf(module) !== room)),
    }))
    .sort((a, b) => b.gzipBytes - a.gzipBytes);
}

/** The part of a path that says which module it is. */
function moduleName(path) {
  return path.replace(/^.*?(?=(clients|proto|node_modules)\/)/, "");
}
