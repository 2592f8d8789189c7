import { readFileSync } from "node:fs";
import type { Registry } from "prom-client";
import type { Logger } from "#core/logger.ts";
import { createLogger } from "#runtime/logger.ts";
import type { TickwireConfig } from "#config/config.ts";
import { endOnFatalError } from "#runtime/fatal-error.ts";
import { createMetrics } from "#runtime/metrics.ts";
import { Shutdown, type ExitCode } from "#runtime/shutdown.ts";
import { SystemClock } from "#runtime/system-clock.ts";

/** What every long-running command is made of. */
export type ServiceProcess = {
  readonly clock: SystemClock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly shutdown: Shutdown;
};

/** Clock, log, metrics and signals of a process; what the command starts, it adds to `shutdown`. */
export function createServiceProcess(service: string, config: TickwireConfig): ServiceProcess {
  const clock = new SystemClock();
  const logger = createLogger({ level: config.log.level, service });
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
  return { clock, logger, metrics, shutdown };
}

/** As in package.json, three folders up from here in the sources and four in the build. */
export function programVersion(): string {
  const fromSources = new URL("../../../package.json", import.meta.url);
  const fromBuild = new URL("../../../../package.json", import.meta.url);
  for (const address of [fromSources, fromBuild]) {
    try {
      const text = readFileSync(address, "utf8");
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "tickwire" && version !== undefined) return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}
