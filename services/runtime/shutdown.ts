import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";

/** The exit codes of the program. */
export const ExitCode = {
  Ok: 0,
  /** What was asked for failed. */
  Failure: 1,
  /** The question was wrong: an unknown option, a bad configuration. */
  Usage: 2,
  /** A second signal ended the process before its shutdown was complete. */
  Forced: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The part of `process` that a shutdown needs. */
type SignalSource = {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
};

type ShutdownOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** All steps together get this long; then the process ends with `Failure`. */
  readonly deadlineMs: number;
  readonly signals: SignalSource;
  readonly exit: (code: ExitCode) => void;
};

type Step = { readonly name: string; readonly close: () => Promise<void> | void };

/**
 * Ends a process in order: what was added last is closed first. SIGINT and SIGTERM start it; a
 * second signal, or the deadline, ends the process at once. `exit` is called exactly once.
 */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #steps: Step[] = [];
  #running: Promise<void> | undefined;
  #exited = false;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    options.signals.on("SIGINT", this.#onSignal);
    options.signals.on("SIGTERM", this.#onSignal);
  }

  /** True from the first signal or call of `run` on. */
  get started(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Adds a step. Added while shutting down, it is run at once, so that nothing started late is left
   * open.
   */
  add(name: string, close: () => Promise<void> | void): void {
    const step = { name, close };
    if (this.#running === undefined) this.#steps.push(step);
    // A rejection is logged by #close, which therefore never rejects.
    else void this.#close(step).then(() => undefined);
  }

  /**
   * Closes everything, then exits with `code`, or `Failure` if a step failed. Later calls join the
   * first.
   */
  run(code: ExitCode = ExitCode.Ok): Promise<void> {
    this.#running ??= this.#runSteps(code);
    return this.#running;
  }

  readonly #onSignal = (): void => {
    if (this.#running !== undefined) {
      this.#exit(ExitCode.Forced);
      return;
    }
    // Never rejects: failures of steps are logged and become the exit code.
    void this.run();
  };

  async #runSteps(code: ExitCode): Promise<void> {
    const { clock, deadlineMs, logger } = this.#options;
    const cancel = clock.after(deadlineMs, () => {
      logger.error({ deadlineMs }, "shutdown took too long");
      this.#exit(ExitCode.Failure);
    });
    let result = code;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const closed = await this.#close(step);
      if (!closed && result === ExitCode.Ok) result = ExitCode.Failure;
    }
    cancel();
    this.#exit(result);
  }

  async #close(step: Step): Promise<boolean> {
    try {
      await step.close();
      return true;
    } catch (error) {
      this.#options.logger.error({ step: step.name, error }, "a step of the shutdown failed");
      return false;
    }
  }

  #exit(code: ExitCode): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#options.signals.off("SIGINT", this.#onSignal);
    this.#options.signals.off("SIGTERM", this.#onSignal);
    this.#options.exit(code);
  }
}
