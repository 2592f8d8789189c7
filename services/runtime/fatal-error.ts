import type { Logger } from "#core/logger.ts";
import { ExitCode } from "./shutdown.ts";

/** The part of `process` that tells of errors that nothing handled. */
type FatalErrorSource = {
  on(event: "uncaughtException", listener: (error: unknown, origin: string) => void): unknown;
};

/**
 * Ends the process when something throws that nothing handles, a rejected promise included: that is
 * our own bug, and what the process holds can no longer be trusted. One line in the log says what
 * it was; sockets close with the process, and whoever supervises it starts it again.
 */
export function endOnFatalError(parts: {
  readonly source: FatalErrorSource;
  readonly logger: Logger;
  readonly exit: (code: ExitCode) => void;
}): void {
  parts.source.on("uncaughtException", (error, origin) => {
    parts.logger.error({ error, origin }, "the process ends because of a bug in it");
    parts.exit(ExitCode.Failure);
  });
}
