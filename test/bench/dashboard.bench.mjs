// The dashboard in Chromium, on a market of 10,000 instruments whose events it has to take at about
// 10,000 a second: tickers of 1,000 of them, and book, trades and candles of the one that is shown.
// Prints frames, the time between them, how busy the page's main thread is (by Chromium's tracing:
// CPU time of the tasks that it ran, so that a busy machine counts less), how long it took until
// first prices were seen, by how much anything moved on the screen (cumulative layout shift), and
// how soon the list shows what is searched for. The frames of an empty page, just before, are what
// the machine gives.
// Runs on the build: `npm run build && node test/bench/dashboard.bench.mjs [seconds] [url]`. With
// an address it looks at what runs there. `--profile FILE` writes a CPU profile of the page.
// `--panel 3` shows the heatmap, and `--columns 700` waits until it has as many, for which the
// page's clock and its looks at the book go faster before it is measured.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: "string" },
    panel: { type: "string", default: "1" },
    columns: { type: "string", default: "0" },
    /** What dashboard/market.mjs takes, as JSON. */
    market: { type: "string", default: "{}" },
  },
});
const seconds = Number(positionals[0] ?? 10);
/** Topics are joined bit by bit. */
const JOIN_MS_MAX = 60_000;
const EVENTS_PER_SECOND_MIN = 9_000;
const SETTLE_MS = 2_000;
const BUSY_LIMIT = 0.4;
const EMPTY_MS = 3_000;
const PACE_FACTOR = 40;
const TRACE_CATEGORIES = ["toplevel", "devtools.timeline", "blink.user_timing"];
const print = (line) => process.stdout.write(`${line}\n`);
const wait = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

const executablePath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser"].map((name) => join(folder, name)))
  .find(existsSync);
if (executablePath === undefined) throw new Error("there is no chromium on PATH");

const gateway = positionals[1] === undefined ? await startGateway() : undefined;
const url = positionals[1] ?? gateway.url;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], headless: true });
try {
  const empty = await framesOfEmptyPage(browser);
  const page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
  page.on("pageerror", (error) => print(`error in the page: ${error.message}`));
  await page.addInitScript(watchPage);
  await page.addInitScript(letTimeGoFaster);
  await page.goto(url);
  // The page's policy forbids code made of text, which is what waiting inside of it would be.
  while ((await page.evaluate("watched.firstDataMs")) === 0) await wait(100);
  for (const endMs = performance.now() + JOIN_MS_MAX; performance.now() < endMs; await wait(500))
    if (Number.parseInt(await page.textContent("#traffic"), 10) > EVENTS_PER_SECOND_MIN) break;
  await wait(SETTLE_MS);
  await page.keyboard.press(values.panel);
  await wait(1_000);
  if (Number(values.columns) > 0) await fillHeatmap(page, Number(values.columns));
  const found = await page.textContent("#market-count");
  const session = await page.context().newCDPSession(page);
  if (values.profile !== undefined) {
    await session.send("Profiler.enable");
    await session.send("Profiler.start");
  }
  await browser.startTracing(page, { categories: TRACE_CATEGORIES });
  await page.evaluate("watched.begin()");
  const before = await countedEvents(page);
  await wait(seconds * 1_000);
  const after = await countedEvents(page);
  const watched = await page.evaluate("watched.end()");
  const carried = ((after.events - before.events) * 1_000) / (after.atMs - before.atMs);
  const trace = JSON.parse((await browser.stopTracing()).toString());
  if (values.profile !== undefined) {
    const { profile } = await session.send("Profiler.stop");
    writeFileSync(values.profile, JSON.stringify(profile));
  }
  const searchMs = [];
  for (const words of ["sym9876", "sym98", "btc", ""])
    searchMs.push(await page.evaluate(`watched.search(${JSON.stringify(words)})`));
  report({ ...watched, empty, searchMs, found, carried }, trace);
} finally {
  await browser.close();
  gateway?.process.kill();
}

/** Events that the page has taken, as it counts them once a second, and when it did. */
async function countedEvents(page) {
  const read = () => page.getAttribute("#traffic", "data-events");
  const known = await read();
  for (;;) {
    const events = await read();
    if (events !== known) return { events: Number(events), atMs: performance.now() };
    await wait(10);
  }
}

/** Waits until the heatmap has so many columns, and until the page is as before. */
async function fillHeatmap(page, columns) {
  const read = async () => Number(await page.getAttribute(".panel-heatmap", "data-columns"));
  await page.evaluate(`pace.factor = ${PACE_FACTOR}`);
  while ((await read()) < columns) await wait(100);
  await page.evaluate("pace.factor = 1");
  await wait(SETTLE_MS);
  print(`columns of the heatmap ${await read()}`);
}

/** In the page: its steady clock and the interval at which it looks at the book have a pace. */
function letTimeGoFaster() {
  const SAMPLE_MS = 500;
  const pace = { factor: 1 };
  globalThis.pace = pace;
  const realNow = performance.now.bind(performance);
  let lastMs = realNow();
  let aheadMs = 0;
  performance.now = () => {
    const nowMs = realNow();
    aheadMs += (nowMs - lastMs) * (pace.factor - 1);
    lastMs = nowMs;
    return nowMs + aheadMs;
  };
  const realInterval = setInterval;
  globalThis.setInterval = (callback, intervalMs) => {
    if (intervalMs !== SAMPLE_MS) return realInterval(callback, intervalMs);
    const turn = () => {
      callback();
      setTimeout(turn, intervalMs / pace.factor);
    };
    return setTimeout(turn, intervalMs);
  };
}

/** Times between the frames of a page without anything, in milliseconds. */
async function framesOfEmptyPage(browser) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
  await page.addInitScript(watchPage);
  await page.goto("about:blank");
  await page.evaluate("watched.begin()");
  await wait(EMPTY_MS);
  const { frames } = await page.evaluate("watched.end()");
  await page.close();
  return frames;
}

/** In the page, before its own scripts: frames, first data, and what moved. */
function watchPage() {
  const watched = { firstDataMs: 0, shift: 0, frames: [], isOn: false };
  globalThis.watched = watched;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) watched.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  let lastMs;
  const onFrame = (nowMs) => {
    if (watched.firstDataMs === 0) {
      const book = document.querySelector(".panel-book")?.dataset.sequence;
      const price = document.querySelector("#last-price")?.textContent ?? "";
      if (Number(book) > 0 && /\d/.test(price)) watched.firstDataMs = performance.now();
    }
    if (watched.isOn && lastMs !== undefined) watched.frames.push(nowMs - lastMs);
    lastMs = nowMs;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  /** How long it takes until the list has changed, and the frame after it is there. */
  watched.search = (words) =>
    new Promise((resolve) => {
      const count = document.querySelector("#market-count");
      const input = document.querySelector(".panel-markets input");
      const fromMs = performance.now();
      new MutationObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - fromMs));
      }).observe(count, { childList: true, characterData: true, subtree: true });
      input.value = words;
      input.dispatchEvent(new Event("input"));
    });
  watched.begin = () => {
    watched.frames = [];
    watched.isOn = true;
  };
  watched.end = () => {
    watched.isOn = false;
    const { frames, firstDataMs, shift } = watched;
    return { frames, firstDataMs, shift };
  };
}

function report({ frames, empty, searchMs, firstDataMs, shift, found, carried }, trace) {
  const times = (of) => {
    const sorted = of.toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return [at(0.5), at(0.99), at(1)].map((ms) => ms.toFixed(1)).join(" ");
  };
  const { busyShare, longestMs, byName } = mainThread(trace);
  const perSecond = frames.length / (frames.reduce((sum, one) => sum + one, 0) / 1_000);
  print(`markets in the list    ${found}`);
  print(`carried                ${carried.toFixed(0)} events/s`);
  print(`first data after       ${firstDataMs.toFixed(0)} ms`);
  print(`layout shift           ${shift.toFixed(4)}`);
  print(`frames                 ${frames.length}, ${perSecond.toFixed(1)} a second`);
  print(`frame time p50 p99 max ${times(frames)} ms; of an empty page ${times(empty)} ms`);
  print(`found after            ${searchMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  print(
    `main thread busy       ${(busyShare * 100).toFixed(1)} %, longest task ${longestMs.toFixed(1)} ms`,
  );
  for (const [name, share] of byName) print(`  ${name.padEnd(21)}${(share * 100).toFixed(1)} %`);
  if (busyShare > BUSY_LIMIT) process.exitCode = 1;
}

/** How long the main thread of the page ran tasks, and what the largest parts of that were. */
function mainThread({ traceEvents }) {
  const names = traceEvents.filter(({ name }) => name === "thread_name");
  const threads = new Set(
    names
      .filter(({ args }) => args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const ofMain = traceEvents.filter(
    ({ pid, tid, ph }) => ph === "X" && threads.has(`${pid} ${tid}`),
  );
  const busiest = (name) => {
    const sums = new Map();
    for (const event of ofMain) {
      if (event.name !== name) continue;
      const key = `${event.pid} ${event.tid}`;
      sums.set(key, (sums.get(key) ?? 0) + event.dur);
    }
    return [...sums].toSorted((a, b) => b[1] - a[1])[0]?.[0];
  };
  const thread = busiest("ThreadControllerImpl::RunTask") ?? busiest("RunTask");
  const own = ofMain.filter(({ pid, tid }) => `${pid} ${tid}` === thread);
  const tasks = own.filter(({ name }) => name.endsWith("RunTask"));
  const from = Math.min(...tasks.map(({ ts }) => ts));
  const spanUs = Math.max(...tasks.map(({ ts, dur }) => ts + dur)) - from;
  const sums = new Map();
  for (const event of own)
    sums.set(event.name, (sums.get(event.name) ?? 0) + cpuUs(event) / spanUs);
  return {
    busyShare: tasks.reduce((sum, task) => sum + cpuUs(task), 0) / spanUs,
    longestMs: tasks.reduce((most, task) => Math.max(most, cpuUs(task)), 0) / 1_000,
    byName: [...sums].toSorted((a, b) => b[1] - a[1]).slice(0, 14),
  };
}

/** Time on a CPU where Chromium knows it. */
function cpuUs({ dur, tdur }) {
  return tdur ?? dur;
}

/** A gateway with the market, in a process of its own. */
async function startGateway() {
  const market = new URL("dashboard/market.mjs", import.meta.url).pathname;
  const child = fork(market, [values.market]);
  const [{ port }] = await once(child, "message");
  return { process: child, url: `http://127.0.0.1:${port}/` };
}
