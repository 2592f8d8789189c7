// Trades in the TypeScript client, from the bytes of a frame to the callback, in Node and in
// headless Chromium, beside JSON.parse and protobufjs on the same trades. In Chromium time counts,
// not CPU, so that what else the machine does shows there.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { filesForBrowser } from "../../support/client-bundle.mjs";
import { WebSocketServer } from "ws";
import { batchesOf, createWork, framesOf } from "./client-work.mjs";
import { alternate, row } from "./measure.mjs";

/** A frame of one event takes many of them until all that reads it is compiled. */
const TO_COMPILE_NS = 800_000_000;
const TRADES = 120_000;
const TRADES_QUICK = 2_000;
/** What a page gets that draws, and for how long. */
const EVENTS_PER_SECOND = 10_000;
const SECONDS = 4;
const SECONDS_QUICK = 1;
/** Trades a batch, and events a second that are to be reached. */
const SIZES = [
  [1, "1.5 M/s"],
  [16, "6 M/s"],
  [64, "8 M/s"],
];
const PAGE = `import ${JSON.stringify(join(import.meta.dirname, "client-page.mjs"))};`;

export const about = "trades in the client: frame to callback, beside other readers of the same";

export async function run({ rounds, quick, only = "" }) {
  const trades = quick ? TRADES_QUICK : TRADES;
  const sizes = SIZES.slice(quick ? -1 : 0).filter(([size]) => `${size} a batch`.includes(only));
  const rows = [];
  for (const [tradesPerBatch, target] of sizes) {
    const samples = await alternate(createWork(trades, tradesPerBatch), {
      rounds,
      toCompileNs: TO_COMPILE_NS,
    });
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
  const drawn = sizes.filter(([size]) => quick || size < 64);
  for (const [tradesPerBatch] of drawn) {
    rows.push(
      ...(await drawnRows(page, tradesPerBatch, {
        rounds: quick ? 1 : Math.min(rounds, 3),
        quick,
      })),
    );
  }
  await page.close();
  return rows;
}

/** How smoothly a page draws while trades come, and how busy its main thread is with it. */
async function drawnRows(page, tradesPerBatch, { rounds, quick }) {
  const seconds = quick ? SECONDS_QUICK : SECONDS;
  const figures = { events: [], frames: [], busy: [] };
  for (let round = 0; round < rounds; round += 1) {
    const { fps, eventsPerSecond, busyShare } = await page.draw(tradesPerBatch, seconds);
    figures.events.push(eventsPerSecond);
    figures.frames.push(fps);
    figures.busy.push(busyShare * 100);
  }
  const name = `a page that draws, ${tradesPerBatch} a batch`;
  return [
    row(name, "events", "/s", figures.events, { target: `${EVENTS_PER_SECOND}/s` }),
    row(name, "frames drawn", "/s", figures.frames, { target: "60/s" }),
    row(name, "main thread busy", "%", figures.busy, { target: "<= 30 %" }),
  ];
}

/** Sends trades to whoever connects, at a steady pace, each batch as a message. */
function serveTrades(server) {
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { url }) => {
    const tradesPerBatch = Number(new URL(url, "ws://bench").searchParams.get("size"));
    const trades = EVENTS_PER_SECOND * (SECONDS + 1);
    const frames = framesOf(batchesOf(trades, tradesPerBatch));
    const begun = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * (EVENTS_PER_SECOND / tradesPerBatch);
      for (; sent < Math.min(due, frames.length); sent += 1) socket.send(frames[sent]);
    }, 4);
    socket.on("close", () => clearInterval(timer));
  });
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
  serveTrades(server);
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction("globalThis.measure !== undefined");
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  /** Seconds that the page's main thread has worked, and the time. */
  const metrics = async () => {
    const { metrics: list } = await devtools.send("Performance.getMetrics");
    const valueOf = (wanted) => list.find(({ name }) => name === wanted).value;
    return { busy: valueOf("TaskDuration"), at: valueOf("Timestamp") };
  };
  return {
    async draw(size, seconds) {
      const before = await metrics();
      const url = `ws://127.0.0.1:${server.address().port}/?size=${size}`;
      const drawn = await page.evaluate(([to, time]) => globalThis.draw(to, time), [url, seconds]);
      const after = await metrics();
      return { ...drawn, busyShare: (after.busy - before.busy) / (after.at - before.at) };
    },
    measure: (options) => page.evaluate((given) => globalThis.measure(given), options),
    async close() {
      await browser.close();
      server.close();
    },
  };
}
