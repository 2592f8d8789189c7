import { parentPort, workerData } from "node:worker_threads";
import { connect } from "@tickwire/client";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";
import { TradeFlow } from "./trade-flow.ts";

const port = parentPort;
if (port === null) throw new Error("this file is started as a worker, by main.js");
const { url, topics, intervalMs } = workerData as WorkerSettings;

const flow = new TradeFlow();
const client = await connect(url, { clientName: "worker-thread" });
client.onTrades(topics, (trade) => {
  if (!trade.historical) flow.add(trade);
});

const tell = (): void => {
  const connected = client.state === "connected";
  const { missingEvents } = client.stats();
  const message: FromWorker = { summaries: flow.take(), connected, missingEvents };
  port.postMessage(message);
};
let timer = setTimeout(tell, intervalMs);
// The next summary waits for an answer to the last one: a main thread that is busy finds one
// message when it comes back, with all that happened, and no queue of them.
port.on("message", (message: ToWorker) => {
  clearTimeout(timer);
  if (message === "go-on") {
    timer = setTimeout(tell, intervalMs);
    return;
  }
  client.close();
  port.close();
});
