import type { Registry } from "prom-client";
import type { Tracing } from "#core/tracing.ts";
import type { Logger } from "#core/logger.ts";
import { createLogger } from "#runtime/logger.ts";
import type { TickwireConfig } from "#config/config.ts";
import { endOnFatalError } from "#runtime/fatal-error.ts";
import { createMetrics } from "#runtime/metrics.ts";
import { Shutdown, type ExitCode } from "#runtime/shutdown.ts";
import { createTracing } from "#runtime/tracing.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { terminalLog } from "../output/terminal.ts";
import { programVersion } from "./program-version.ts";

/** What every long-running command is made of. */
export type ServiceProcess = {
  readonly clock: SystemClock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly shutdown: Shutdown;
  /** Where spans go; undefined unless an OpenTelemetry SDK was loaded before the program. */
  readonly tracing: Tracing | undefined;
  /** What operators see of the process. */
  readonly describe: () => object;
  /** Calls the listener on SIGHUP, which asks a process to read its files again. */
  readonly onHangup: (listener: () => void) => void;
};

/** Clock, log, metrics and signals of a process; what the command starts, it adds to `shutdown`. */
export function createServiceProcess(service: string, config: TickwireConfig): ServiceProcess {
  const clock = new SystemClock();
  const write = terminalLog();
  const log = { level: config.log.level, service };
  const logger = createLogger(write === undefined ? log : { ...log, write });
  const metrics = createMetrics({ version: programVersion() });
  const exit = (code: ExitCode): void => process.exit(code);
  // With the log off, Node itself prints what was thrown, and exits with 1.
  if (config.log.level !== "silent") endOnFatalError({ source: process, logger, exit });
  const shutdown = new Shutdown({
    clock,
    logger,
    deadlineMs: config.shutdown.deadlineMs,
    signals: process,
    exit,
  });
  const startedUs = clock.monotonicUs();
  const describe = (): object => ({
    service,
    version: programVersion(),
    node: process.versions.node,
    pid: process.pid,
    uptimeSeconds: Math.floor((clock.monotonicUs() - startedUs) / 1e6),
    residentBytes: process.memoryUsage.rss(),
  });
  const tracing = createTracing(programVersion());
  const onHangup = (listener: () => void): void => void process.on("SIGHUP", listener);
  return { clock, logger, metrics, shutdown, tracing, describe, onHangup };
}
