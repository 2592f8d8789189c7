import { readFile } from "node:fs/promises";
import { Command } from "commander";
import type { Clock } from "#core/clock.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { hasFullScreen, openFullScreen } from "../output/full-screen.ts";
import type { FullScreen } from "../output/full-screen.ts";
import { printLine, printLines } from "../output/terminal.ts";
import { pressKey, splitKeys, TOP_INPUT } from "../output/top-keys.ts";
import type { TopInput } from "../output/top-keys.ts";
import { topScreen } from "../output/top-screen.ts";
import type { TopChoice, TopState } from "../output/top-screen.ts";
import { adminAddress, readTopState } from "../process/admin-client.ts";
import type { AdminTarget } from "../process/admin-client.ts";
import { ADMIN_PORTS } from "../process/admin-process.ts";
import { loadCommandConfig } from "../process/config-options.ts";
import { describeError, UsageError } from "../process/errors.ts";
import { parseSeconds } from "../process/parse-option.ts";

type TopOptions = {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly interval: number;
  readonly filter: string;
  readonly config?: string;
  readonly secretFile?: string;
};

const DEFAULT_ADDRESS = `http://127.0.0.1:${ADMIN_PORTS.gateway}`;
const INTERVAL_SECONDS = 2;
const INTERVAL_SECONDS_MIN = 0.5;
/** Rates are measured between two reads that are so far apart. */
const RATE_MS = 1_050;
/** Rows of a list that are read for a screen of any size. */
const ROWS_MAX = 100;
const COLUMNS_MAX = 400;

/** `tickwire top [URL]`: what a process does right now, on the whole terminal. */
export function createTopCommand(): Command {
  return new Command("top")
    .description(
      "Shows sessions by lag, topics by rate, venues by state and the totals of a gateway, an " +
        "ingestor or dev, read from its admin address again and again.",
    )
    .argument("[url]", "admin address of the process", DEFAULT_ADDRESS)
    .option("--once", "print it once and end; so it is where no terminal is")
    .option("--json", "print one JSON object each time, with --once just one")
    .option("--interval <seconds>", "time between two reads", parseSeconds, INTERVAL_SECONDS)
    .option("--filter <text>", "only a venue, a topic, or the session of an id", "")
    .option("--config <file>", "JSON file with settings, of which admin.secret counts")
    .option("--secret-file <file>", "file with the admin secret alone")
    .addHelpText(
      "after",
      `
The admin secret, where the process has one, comes from TICKWIRE_ADMIN__SECRET, --config or
--secret-file; it is never an argument, which other users of the machine could read.

Keys: q quit, s and t sort sessions and topics by something else, / filter (Enter takes it, Escape
does not), Tab one table after the other, Space stop, r read now, Escape show all.

Examples:
  tickwire top
  tickwire top http://127.0.0.1:9090 --once
  TICKWIRE_ADMIN__SECRET=... tickwire top https://gateway-1.example:9091 --json --once`,
    )
    .action(async (url: string, options: TopOptions) => {
      if (options.interval < INTERVAL_SECONDS_MIN) {
        throw new UsageError(`--interval must be ${INTERVAL_SECONDS_MIN} seconds or more`);
      }
      const target = { address: adminAddress(url), secret: await secretOf(options) };
      const clock = new SystemClock();
      if (options.json === true) await printJson(target, options, clock);
      else if (options.once === true || !hasFullScreen()) await printOnce(target, options, clock);
      else await new TopView(target, options, clock).run();
    });
}

async function secretOf({ config, secretFile }: TopOptions): Promise<string | undefined> {
  if (secretFile !== undefined) {
    try {
      return (await readFile(secretFile, "utf8")).trim();
    } catch (error) {
      throw new UsageError(`--secret-file cannot be read: ${(error as Error).message}`);
    }
  }
  return loadCommandConfig(config === undefined ? {} : { config }, { flags: [] }).admin.secret;
}

/** The second of two reads: only that has rates. */
async function readTwice(target: AdminTarget, input: TopInput, clock: Clock): Promise<TopState> {
  await readTopState(target, input, ROWS_MAX);
  await wait(clock, RATE_MS);
  return readTopState(target, input, ROWS_MAX);
}

async function printOnce(target: AdminTarget, options: TopOptions, clock: Clock): Promise<void> {
  const input = { ...TOP_INPUT, filter: options.filter };
  const state = await readTwice(target, input, clock);
  const choice = { ...choiceOf(target, input), prompt: undefined };
  const lines = topScreen(state, choice, { columns: COLUMNS_MAX, lines: undefined });
  printLines(lines.map(({ text }) => text).join("\n"));
}

async function printJson(target: AdminTarget, options: TopOptions, clock: Clock): Promise<void> {
  const input = { ...TOP_INPUT, filter: options.filter };
  let state = await readTwice(target, input, clock);
  printLine(JSON.stringify(state));
  while (options.once !== true) {
    await wait(clock, options.interval * 1_000);
    state = await readTopState(target, input, ROWS_MAX);
    printLine(JSON.stringify(state));
  }
}

function choiceOf({ address }: AdminTarget, input: TopInput): Omit<TopChoice, "prompt"> {
  const { sessionSort, topicSort, filter, table } = input;
  return { address, sessionSort, topicSort, filter, table };
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** The live view: reads again and again, draws, and does what keys say, until it is quit. */
class TopView {
  readonly #target: AdminTarget;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #input: TopInput;
  #screen: FullScreen | undefined;
  #state: TopState | undefined;
  /** Why what is shown is old; empty if it is not. */
  #trouble = "";
  #isReading = false;
  #isOver = false;
  #cancelTimer: (() => void) | undefined;
  #end: () => void = () => {};

  constructor(target: AdminTarget, options: TopOptions, clock: Clock) {
    this.#target = target;
    this.#intervalMs = options.interval * 1_000;
    this.#clock = clock;
    this.#input = { ...TOP_INPUT, filter: options.filter };
  }

  /** Resolves when the user quits. Rejects if nothing can be read at first. */
  async run(): Promise<void> {
    this.#state = await readTopState(this.#target, this.#input, ROWS_MAX);
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    this.#screen = openFullScreen({
      onKeys: (sent) => this.#onKeys(sent),
      onResize: () => this.#draw(),
    });
    const onSignal = (): void => this.#end();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, onSignal);
    try {
      this.#draw();
      this.#schedule();
      await ended;
    } finally {
      this.#isOver = true;
      this.#cancelTimer?.();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, onSignal);
      this.#screen.close();
    }
  }

  #onKeys(sent: string): void {
    for (const key of splitKeys(sent)) {
      const { input, action } = pressKey(this.#input, key);
      this.#input = input;
      if (action === "quit") this.#end();
      else if (action === "read") this.#readNow();
    }
    this.#draw();
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(this.#intervalMs, () => {
      if (this.#input.stopped) this.#schedule();
      else this.#readNow();
    });
  }

  #readNow(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const asked = this.#input;
    readTopState(this.#target, asked, ROWS_MAX)
      .then(
        (state) => {
          this.#state = state;
          this.#trouble = "";
        },
        (error: unknown) => {
          this.#trouble = describeError(error);
        },
      )
      .finally(() => {
        this.#isReading = false;
        if (this.#isOver) return;
        this.#draw();
        const { sessionSort, topicSort, filter } = this.#input;
        const isAsked =
          asked.sessionSort === sessionSort &&
          asked.topicSort === topicSort &&
          asked.filter === filter;
        // A key that came meanwhile wants something else.
        if (isAsked) this.#schedule();
        else this.#readNow();
      });
  }

  #draw(): void {
    if (this.#screen === undefined || this.#state === undefined) return;
    const { columns, lines } = this.#screen;
    const choice = { ...choiceOf(this.#target, this.#input), prompt: this.#prompt() };
    const screen = topScreen(this.#state, choice, { columns, lines });
    this.#screen.draw(screen.map((line) => ({ parts: [line] })));
  }

  #prompt(): string | undefined {
    const { typing, stopped } = this.#input;
    if (typing !== undefined) return `only this venue, topic or session: ${typing}_`;
    if (this.#trouble !== "") return `old: ${this.#trouble}`;
    return stopped ? "stopped; space goes on" : undefined;
  }
}
