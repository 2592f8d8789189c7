import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";

const USAGE = `node dist/main.js [options]

  --url URL           gateway (ws://127.0.0.1:8080)
  --topics TOPICS     instruments, such as binance:* (simulated:*)
  --interval MS       between summaries (1000)
  --busy MS           keep the main thread busy for so long after each summary (0)`;

/** Only the busiest instruments are printed. */
const LINES = 3;

/** Runs until a signal. Rejects when the worker ends by itself. */
function run(settings: WorkerSettings, busyMs: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: settings });
  const say = (message: ToWorker): void => worker.postMessage(message);
  worker.on("message", (message: FromWorker) => {
    print(message, delay.percentile(99) / 1e6);
    delay.reset();
    keepBusy(busyMs);
    say("go-on");
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => say("stop"));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => {
      delay.disable();
      if (code === 0) resolve();
      else reject(new Error(`the worker ended with ${code}`));
    });
  });
}

function print({ summaries, connected, missingEvents }: FromWorker, delayMs: number): void {
  const trades = summaries.reduce((sum, summary) => sum + summary.trades, 0);
  const state = connected ? "" : ", not connected";
  const missing = missingEvents === 0 ? "" : `, ${missingEvents} events missing`;
  const counts = `${trades} trades of ${summaries.length} instruments${missing}${state}`;
  process.stdout.write(`${counts}; the main thread waited ${delayMs.toFixed(1)} ms (p99)\n`);
  for (const { topic, lastPriceText, netSize, meanPrice } of summaries.slice(0, LINES)) {
    const flow = `${netSize >= 0 ? "+" : ""}${netSize.toPrecision(4)}`;
    process.stdout.write(`  ${topic} ${lastPriceText}, mean ${meanPrice.toFixed(2)}, ${flow}\n`);
  }
}

/** Stands for work of your own that blocks this thread. */
function keepBusy(busyMs: number): void {
  const untilMs = performance.now() + busyMs;
  while (performance.now() < untilMs);
}

try {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      url: { ...text, default: "ws://127.0.0.1:8080" },
      topics: { ...text, default: "simulated:*" },
      interval: { ...text, default: "1000" },
      busy: { ...text, default: "0" },
    },
  });
  const { url, topics } = values;
  await run({ url, topics, intervalMs: Number(values.interval) }, Number(values.busy));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
}
