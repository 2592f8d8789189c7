// The program of a thread of a gateway, with faults that a test asks for.
import { BroadcastChannel, workerData } from "node:worker_threads";

const faults = new BroadcastChannel("tickwire-test-faults");
faults.unref();
faults.onmessage = ({ data }) => {
  if (data.worker !== workerData.start.index) return;
  if (data.fault === "exit") process.exit(7);
  if (data.fault === "throw") throw new Error("a bug, made by a test");
  if (data.fault === "loop") for (;;);
  if (data.fault === "block") {
    // Whoever asked says when it is over.
    Atomics.store(data.word, 0, 1);
    Atomics.wait(data.word, 0, 1, 20_000);
  }
};

await import("#cli/process/gateway-thread.ts");
