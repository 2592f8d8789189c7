import { mkdirSync, readdirSync } from "node:fs";
import { Command, Option } from "commander";
import { quotedText, visibleText } from "#core/visible-text.ts";
import { matchesPattern, parseTopicPattern, type TopicPattern } from "#core/topic.ts";
import { DecimalRanges, TableExport, type TableFormat } from "#recording/export/table-export.ts";
import type { RecordedEntry } from "#recording/format/entry.ts";
import { RecordingError } from "#recording/recording-error.ts";
import type { Recording } from "#recording/reading/recording.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { collect } from "../process/config-options.ts";
import { CommandError, describeError, UsageError } from "../process/errors.ts";
import { parsePastTime, type PastTime } from "../process/parse-option.ts";
import { damageOf, openRecording } from "../recording/recording-files.ts";
import { progressBar, ProgressLine } from "../output/progress-line.ts";
import { complain, printLine } from "../output/terminal.ts";

type ConvertOptions = {
  readonly out: string;
  readonly format: TableFormat;
  readonly decimals: "decimal128" | "text";
  readonly topic?: readonly string[];
  readonly from?: PastTime;
  readonly to?: PastTime;
  readonly json?: boolean;
};

type Wanted = { readonly fromTimeUs: number; readonly toTimeUs: number };

/** `tickwire convert RECORDING`: tables that other programs read. */
export function createConvertCommand(): Command {
  const format = new Option("--format <format>", "of the tables").choices(["parquet", "csv"]);
  const decimals = new Option("--decimals <how>", "in Parquet: exact numbers, or text");
  return new Command("convert")
    .description(
      "Writes a recording as tables, one file for each channel. Numbers are exact: decimal128 where " +
        "38 digits hold all of a column, text where they do not, and always text in CSV.",
    )
    .argument("<recording>", "folder, or one file of it")
    .requiredOption("--out <folder>", "where the tables go; it has none of them yet")
    .addOption(format.default("parquet"))
    .addOption(decimals.choices(["decimal128", "text"]).default("decimal128"))
    .option("--topic <topic>", "only this one, or what matches it; repeatable", collect)
    .option("--from <time>", "from what was recorded then; or seconds ago", parsePastTime)
    .option("--to <time>", "up to before what was recorded then", parsePastTime)
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
Examples:
  tickwire convert ./recording --out ./tables
  tickwire convert ./recording --out ./tables --format csv --topic 'simulated:BTC-USD/*'`,
    )
    .action(async (path: string, options: ConvertOptions) => {
      const patterns = (options.topic ?? []).map(patternOf);
      const recording = await openRecording(path);
      await new Conversion(recording, patterns, options).run();
    });
}

function patternOf(text: string): TopicPattern {
  const pattern = parseTopicPattern(text);
  if (pattern !== undefined) return pattern;
  throw new UsageError(`${quotedText(text)} is no topic, which is VENUE:SYMBOL/channel`);
}

class Conversion {
  readonly #recording: Recording;
  readonly #patterns: readonly TopicPattern[];
  readonly #options: ConvertOptions;
  readonly #range: Wanted;
  readonly #line: ProgressLine;

  constructor(recording: Recording, patterns: readonly TopicPattern[], options: ConvertOptions) {
    this.#recording = recording;
    this.#patterns = patterns;
    this.#options = options;
    const clock = new SystemClock();
    const nowUs = clock.nowUs();
    const { from, to } = options;
    this.#range = { fromTimeUs: from?.(nowUs) ?? 0, toTimeUs: to?.(nowUs) ?? Infinity };
    this.#line = new ProgressLine(process.stderr, () => clock.monotonicUs() / 1_000);
  }

  async run(): Promise<void> {
    const { out, format, decimals } = this.#options;
    requireEmpty(out, format);
    const isRanged = format === "parquet" && decimals === "decimal128";
    const ranges = isRanged ? new DecimalRanges() : undefined;
    if (ranges !== undefined) await this.#pass("measured", (entry) => ranges.add(entry));
    // What is damaged was counted while it was measured.
    Object.assign(this.#recording.damage, { tornBytes: 0, damagedBytes: 0 });
    const tables = new TableExport(out, format, ranges);
    try {
      await this.#pass("written", (entry) => tables.add(entry));
      this.#print(tables);
    } catch (error) {
      tables.discard();
      if (error instanceof RecordingError) throw error;
      throw new CommandError(`cannot write: ${describeError(error)}`, { cause: error });
    } finally {
      this.#line.end();
    }
  }

  async #pass(what: string, take: (entry: RecordedEntry) => void): Promise<void> {
    for await (const entries of this.#recording.entries(this.#range)) {
      for (const entry of entries) if (this.#isWanted(entry)) take(entry);
      const { readBytes, totalBytes } = this.#recording.progress;
      this.#line.show(`${progressBar(readBytes / totalBytes)} ${what}`);
    }
  }

  #isWanted({ topic, timeUs }: RecordedEntry): boolean {
    if (timeUs < this.#range.fromTimeUs) return false;
    const patterns = this.#patterns;
    return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, topic));
  }

  #print(tables: TableExport): void {
    const written = tables.finish();
    this.#line.end();
    if (this.#options.json === true) printLine(JSON.stringify(written));
    else {
      for (const { path, rows } of written) printLine(`${visibleText(path)} ${rows} rows`);
    }
    if (written.length === 0) complain("the recording has nothing of what was asked for");
    const damage = damageOf(this.#recording);
    if (damage !== undefined) complain(damage);
    const { unreadableBatches } = tables;
    if (unreadableBatches > 0) complain(`${unreadableBatches} batches could not be read`);
    const isWhole = this.#recording.damage.damagedBytes === 0 && unreadableBatches === 0;
    process.exitCode = isWhole ? ExitCode.Ok : ExitCode.Failure;
  }
}

/** Nothing is written over. Throws CommandError. */
function requireEmpty(folder: string, format: TableFormat): void {
  try {
    mkdirSync(folder, { recursive: true });
    const there = readdirSync(folder).find((name) => name.includes(`.${format}`));
    if (there === undefined) return;
    throw new CommandError(`${folder} has ${there} already; name another folder`);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot write: ${describeError(error)}`, { cause: error });
  }
}
