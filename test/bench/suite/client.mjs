// Trades in the TypeScript client, from the bytes of a frame to the callback, in Node and in
// headless Chromium, beside JSON.parse and protobufjs on the same trades. In Chromium time counts,
// not CPU, so that what else the machine does shows there.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { filesForBrowser } from "../../support/client-bundle.mjs";
import { createWork } from "./client-work.mjs";
import { alternate, row } from "./measure.mjs";

const TRADES = 120_000;
const TRADES_QUICK = 2_000;
/** Trades a batch, and events a second that are to be reached. */
const SIZES = [
  [1, "1.5 M/s"],
  [16, "6 M/s"],
  [64, "8 M/s"],
];
/** Browsers tell the time in steps of up to 0.1 ms, and a round must be long against that. */
const PAGE = `
import { createWork } from ${JSON.stringify(join(import.meta.dirname, "client-work.mjs"))};
globalThis.measure = async ({ trades, tradesPerBatch, rounds }) => {
  const work = createWork(trades, tradesPerBatch);
  const names = Object.keys(work);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(place + round) % names.length];
      await new Promise((resolve) => setTimeout(resolve));
      const before = performance.now();
      const units = work[name]();
      if (round > 0) samples[name].push(((performance.now() - before) * 1e6) / units);
    }
  }
  return samples;
};
`;

export const about = "trades in the client: frame to callback, beside other readers of the same";

export async function run({ rounds, quick, only = "" }) {
  const trades = quick ? TRADES_QUICK : TRADES;
  const sizes = SIZES.slice(quick ? -1 : 0).filter(([size]) => `${size} a batch`.includes(only));
  const rows = [];
  for (const [tradesPerBatch, target] of sizes) {
    const samples = await alternate(createWork(trades, tradesPerBatch), { rounds });
    rows.push(...rowsOf(`Node, ${tradesPerBatch} a batch`, samples, target));
  }
  const page = await openPage();
  if (page === undefined) {
    process.stderr.write("left out: the client in Chromium, because there is none on PATH\n");
    return rows;
  }
  for (const [tradesPerBatch, target] of sizes) {
    const samples = await page.measure({ trades, tradesPerBatch, rounds });
    rows.push(...rowsOf(`Chromium, ${tradesPerBatch} a batch`, samples, target));
  }
  await page.close();
  return rows;
}

function rowsOf(name, samples, target) {
  const reference = samples["JSON.parse"];
  return Object.entries(samples).map(([candidate, values]) =>
    row(name, candidate, "ns/trade", values, {
      ...(candidate === "JSON.parse" ? {} : { reference }),
      ...(candidate === "client" ? { target } : {}),
    }),
  );
}

/** A page that measures; undefined where there is no Chromium. */
async function openPage() {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const executablePath = paths.find(existsSync);
  if (executablePath === undefined) return undefined;
  const files = await filesForBrowser(PAGE);
  const server = createServer(({ url = "" }, response) => {
    const script = files.get(url.slice(1));
    response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
    response.end(script ?? `<!doctype html><script type="module" src="/entry.js"></script>`);
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction("globalThis.measure !== undefined");
  return {
    measure: (options) => page.evaluate((given) => globalThis.measure(given), options),
    async close() {
      await browser.close();
      server.close();
    },
  };
}
