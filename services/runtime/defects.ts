import { ExitCode } from "./shutdown.ts";
import type { Logger } from "./logger.ts";

/** The part of `process` that hears of errors that nobody caught. */
type DefectSource = {
  on(event: "uncaughtException", listener: (error: unknown) => void): unknown;
};

/**
 * Ends the process with one line in its log when an error surfaces that nobody caught, rejected
 * promises included. Such an error is a bug of ours: after it nothing is known to be right, so what
 * is open is not closed in order, and whoever supervises the process starts it anew.
 */
export function endOnDefect(options: {
  readonly source: DefectSource;
  readonly logger: Logger;
  readonly exit: (code: ExitCode) => void;
}): void {
  const { source, logger, exit } = options;
  source.on("uncaughtException", (error) => {
    logger.error({ error }, "a bug in Tickwire ends the process");
    exit(ExitCode.Failure);
  });
}
