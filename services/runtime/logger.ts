import type { Logger } from "#core/logger.ts";
import { visibleJson } from "#core/visible-text.ts";
import pino from "pino";
import { scrubFields, scrubText } from "./scrub.ts";

/** How much is logged; `silent` turns the log off. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type LoggerOptions = {
  readonly level: LogLevel;
  /** Which part of Tickwire writes, such as `gateway`. */
  readonly service: string;
  /** Which thread of it writes, if it has several. */
  readonly worker?: number;
  /** Takes whole lines; standard error if it is not given. */
  readonly write?: (line: string) => void;
};

/**
 * Writes one JSON object a line, by default to standard error and before the call returns, so that
 * nothing is lost on exit. Secrets are taken out (see `scrubFields`), and characters that a
 * terminal obeys are escaped.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { write } = options;
  const destination = write === undefined ? pino.destination({ dest: 2, sync: true }) : { write };
  const visible = { write: (line: string) => void destination.write(visibleJson(line)) };
  return pino(
    {
      level: options.level,
      base: {
        service: options.service,
        ...(options.worker === undefined ? {} : { worker: options.worker }),
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => scrubFields(fields),
      },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg) => (typeof arg === "string" ? scrubText(arg) : arg)) as typeof args,
          );
        },
      },
    },
    visible,
  );
}
