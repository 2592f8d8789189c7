import { Worker } from "node:worker_threads";
import type { StartThread, WorkerThread } from "#gateway/workers/worker-place.ts";
import type { LogLevel } from "#runtime/logger.ts";
import { cutThread } from "./thread-cut.ts";

/** What a thread of a gateway gets with its start and its ports. */
export type ThreadExtras = { readonly logLevel: LogLevel };

const PROGRAM = new URL("./gateway-thread.js", import.meta.url);

/** What a thread runs, and the options of Node that it has; those of the process by default. */
type ThreadProgram = { readonly program: URL; readonly execArgv?: string[] };

/**
 * Of which V8 makes two halves of 8 MiB and some more. What survives in a half is copied in one
 * stop: with the 16 MiB of its default, a pattern of 10,000 topics had a turn of 14 ms, and with
 * these one of 10.
 */
const YOUNG_SPACE_MIB = 24;

/** Starts threads that run workers of a gateway. They log like the process. */
export function startGatewayThread(
  logLevel: LogLevel,
  { program, ...options }: ThreadProgram = { program: PROGRAM },
): StartThread {
  return (start, ports) => {
    const extras: ThreadExtras = { logLevel };
    const worker = new Worker(program, {
      ...options,
      workerData: { start, ports, extras },
      transferList: [ports.bus, ports.objects, ports.calls],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_SPACE_MIB },
      name: `gateway worker ${start.index}`,
    });
    return new GatewayThread(worker);
  };
}

class GatewayThread implements WorkerThread {
  readonly #worker: Worker;
  /** What was thrown that nothing handled. */
  #error: Error | undefined;
  #before: ReturnType<Worker["performance"]["eventLoopUtilization"]> | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("error", (error: Error) => {
      this.#error = error;
    });
  }

  onExit(listener: (reason: string) => void): void {
    this.#worker.once("exit", (code) => {
      listener(this.#error?.message ?? `its thread ended with the code ${code}`);
    });
  }

  busyRatio(): number {
    const { performance } = this.#worker;
    const now = performance.eventLoopUtilization();
    const before = this.#before;
    this.#before = now;
    const since = before === undefined ? now : performance.eventLoopUtilization(now, before);
    return since.utilization;
  }

  cut(): void {
    // What keeps it from ending is told by whoever waits for its exit.
    void cutThread(this.#worker);
  }
}
