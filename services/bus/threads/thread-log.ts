import { StreamLogError } from "../stream-log.ts";
import type { LogEntry, LogPage, LogReadLimits, LogStart, StreamLog } from "../stream-log.ts";
import { CallFailure, type PortCalls } from "./port-calls.ts";

type FirstArgument = { readonly subject: string; readonly place: number };
type ReadArgument = {
  readonly subject: string;
  readonly start: LogStart;
  readonly limits: LogReadLimits;
};

/** What a thread answers that has a log, to those that have none. */
export function logCalls(
  log: StreamLog | undefined,
): readonly (readonly [string, (argument: unknown) => unknown])[] {
  if (log === undefined) return [];
  return [
    [
      "log.first",
      (argument) => {
        const { subject, place } = argument as FirstArgument;
        return log.first(subject, place);
      },
    ],
    ["log.last", (argument) => log.last(argument as string)],
    [
      "log.read",
      (argument) => {
        const { subject, start, limits } = argument as ReadArgument;
        return log.read(subject, start, limits);
      },
    ],
  ];
}

/** The log of another thread. */
export class ThreadLog implements StreamLog {
  readonly kind: StreamLog["kind"];
  readonly #calls: PortCalls;

  constructor(kind: StreamLog["kind"], calls: PortCalls) {
    this.kind = kind;
    this.#calls = calls;
  }

  async first(subject: string, place: number): Promise<LogEntry | undefined> {
    const argument: FirstArgument = { subject, place };
    return (await this.#call("log.first", argument)) as LogEntry | undefined;
  }

  async last(subject: string): Promise<LogEntry | undefined> {
    return (await this.#call("log.last", subject)) as LogEntry | undefined;
  }

  async read(subject: string, start: LogStart, limits: LogReadLimits): Promise<LogPage> {
    const argument: ReadArgument = { subject, start, limits };
    return (await this.#call("log.read", argument)) as LogPage;
  }

  /** The log is the other thread's. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #call(method: string, argument: unknown): Promise<unknown> {
    try {
      return await this.#calls.call(method, argument);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      const isClosed = error.code === "log-closed" || error.code === "thread-gone";
      const code = isClosed ? "log-closed" : "log-unavailable";
      throw new StreamLogError(code, error.message, { cause: error });
    }
  }
}
