import { visibleText } from "#core/visible-text.ts";
import { CommanderError } from "commander";
import { ConfigError } from "#config/config-error.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { explainTls } from "./tls-reason.ts";

const ERROR_CHARACTERS_MAX = 500;

/** The command line asks for something that does not exist. The message is one line. */
export class UsageError extends Error {
  readonly code = "usage";

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** The command failed, and the message says all that the user needs to know. */
export class CommandError extends Error {
  readonly code = "failed";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
  }
}

/**
 * What is printed for an error and what the program exits with; no line for what was printed
 * already.
 */
export function explainError(error: unknown): {
  readonly exitCode: ExitCode;
  readonly line: string | undefined;
} {
  if (error instanceof CommanderError) {
    // Commander has printed help, version or its complaint.
    return { exitCode: error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage, line: undefined };
  }
  // Its message is made of several lines, each of which can be seen already.
  if (error instanceof ConfigError) return { exitCode: ExitCode.Usage, line: error.message };
  if (error instanceof UsageError) {
    return { exitCode: ExitCode.Usage, line: visibleText(error.message) };
  }
  return { exitCode: ExitCode.Failure, line: describeError(error) };
}

/**
 * One visible line about any error, with its code where the message lacks it. What a gateway or
 * venue says in it is cut, so that it cannot bury what else is on the screen.
 */
export function describeError(error: unknown): string {
  const line = visibleText(messageOf(error));
  if (line.length <= ERROR_CHARACTERS_MAX) return line;
  return `${line.slice(0, ERROR_CHARACTERS_MAX)}…`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error);
  if (code === "EADDRINUSE") return describeAddressInUse(error);
  const message = explainTls(error.message);
  if (code === undefined || error instanceof CommandError) return message;
  return message.includes(code) ? message : `${code}: ${message}`;
}

function describeAddressInUse(error: Error): string {
  const address = "address" in error ? String(error.address) : "";
  const port = "port" in error ? String(error.port) : "";
  if (port === "") return `${error.message}; choose another port`;
  return `port ${port} of ${address} is in use; choose another one`;
}

/** The `code` of an error, if it has one that is text. */
function errorCode(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
