import { receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { runWorkerSide } from "#gateway/workers/worker-side.ts";
import type { WorkerStart } from "#gateway/workers/worker-messages.ts";
import { endOnFatalError } from "#runtime/fatal-error.ts";
import { createLogger } from "#runtime/logger.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { createTracing } from "#runtime/tracing.ts";
import { dashboardFolder } from "./dashboard-folder.ts";
import type { ThreadExtras } from "./gateway-threads.ts";
import { handlerErrors } from "./open-bus.ts";
import { programVersion } from "./program-version.ts";

/** The program of a thread: one worker of a gateway. */
const { start, ports, extras } = workerData as {
  readonly start: WorkerStart;
  readonly ports: Readonly<Record<"bus" | "objects" | "calls", MessagePort>>;
  readonly extras: ThreadExtras;
};

const { logLevel: level } = extras;
const logger = createLogger({ level, service: "gateway", worker: start.index });
const exit = (code: number): void => process.exit(code);
if (level !== "silent") endOnFatalError({ source: process, logger, exit });

const worker = await runWorkerSide({
  start,
  ports,
  takeObject: () =>
    (receiveMessageOnPort(ports.objects) as { readonly message: unknown } | undefined)?.message,
  clock: new SystemClock(),
  nowNs: () => process.hrtime.bigint(),
  logger,
  tracing: createTracing(programVersion()),
  onHandlerError: handlerErrors(logger),
  serverVersion: programVersion(),
  dashboardFolder: dashboardFolder(),
  onClosed: () => process.exit(0),
});
if (worker === undefined) process.exit(1);
process.once("exit", () => worker.leave());
