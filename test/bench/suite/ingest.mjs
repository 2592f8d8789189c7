// From the bytes of a venue's frames to encoded batches: decode, rules, book with its proof,
// sequence, batch. Beside it JSON.parse of the same frames and nothing else, but for what undoes
// the compression of a venue that compresses its frames. Each recording has a process of its own,
// as an ingestor of that venue is one.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/**
 * Goals as multiples of the speed of JSON.parse, for a batch every 16 frames and every frame. A
 * name with a plus is a recording that is played in a process which has played others before.
 */
const CAPTURES = [
  ["binance-usdm-btcusdt-345s", 2.0, 1.4],
  ["binance-btcusdt-345s", 0.9, 0.5],
  ["binance-usdm-4-pairs", 0.4, 0.4],
  ["binance-4-small-pairs", 0.4, 0.4],
  ["coinbase-10-pairs", 1.2, 0.7],
  ["kraken-v2-ethusd", 0.9, 0.5],
  ["kraken-v2-btcusd-depth10-resubscribes", 0.4, 0.4],
  ["kraken-v1-10-pairs", 0.9, 0.5],
  ["okx-3-instruments", 0.9, 0.5],
  ["kucoin-10-pairs", 0.9, 0.5],
  ["bitfinex-7-pairs", 0.4, 0.4],
  ["bitget-v1-10-pairs", 0.4, 0.4],
  ["bitstamp-10-pairs", 0.4, 0.4],
  ["deribit-10-options", 0.4, 0.4],
  ["gateio-10-pairs", 0.4, 0.4],
  ["htx-10-pairs", 0.4, 0.4],
  ["bybit-documented", 0.9, 0.5],
  ["cryptocom-documented", 0.4, 0.4],
  ["hyperliquid-documented", 0.4, 0.4],
  ["upbit-documented", 0.4, 0.4],
  ["bitmex-documented", 0.4, 0.4],
  ["kraken-v2-ethusd + okx-3-instruments + kucoin-10-pairs + coinbase-10-pairs"],
];

export const about = "frames of a venue to encoded batches, beside JSON.parse alone";

export async function run({ rounds, quick, only }) {
  const rows = [];
  for (const [name, goal16, goal1] of CAPTURES) {
    if (only !== undefined && !name.includes(only)) continue;
    if (quick && !name.startsWith("coinbase")) continue;
    rows.push(...(await measureApart({ name, goal16, goal1, rounds, quick })));
  }
  return rows;
}

/** The rows of a capture, from a process that has nothing else; none where it is not there. */
async function measureApart(what) {
  const path = fileURLToPath(new URL("ingest-capture.mjs", import.meta.url));
  const child = fork(path, [JSON.stringify(what)], { execArgv: ["--expose-gc"] });
  const rows = [];
  child.on("message", (row) => rows.push(row));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the process of ${what.name} ended with ${code}`);
  return rows;
}
