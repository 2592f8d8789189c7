import { printsToTerminal, remark } from "../output/terminal.ts";
import { Command } from "commander";
import { CHANNELS, type Channel } from "#core/instrument.ts";
import type { CaptureLine } from "#ingest/capture/capture-format.ts";
import type { ReplayedEvent } from "#ingest/capture/replay-options.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { openCapture, openCaptureWithProgress } from "../process/capture-input.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { EventJson } from "#wire/event-json.ts";
import { rowOfMarketEvent } from "../output/market-event-row.ts";
import { LineOutput } from "../output/line-output.ts";
import { damageIn, formatSummary } from "../output/replay-summary.ts";
import { unknownText } from "#core/nearest.ts";
import { parseVenueId } from "../process/venue-id.ts";

type NormalizeOptions = {
  readonly json?: boolean;
  readonly channels?: readonly Channel[];
  readonly venue?: string;
};

/** `tickwire normalize CAPTURE`: every event of a capture as JSON, then a summary. */
export function createNormalizeCommand(): Command {
  return new Command("normalize")
    .description(
      "Prints one JSON object a line for every normalized event of a capture, in order, and ends " +
        "with a summary on standard error: frames, events, rejections, gaps, resyncs, checksums, speed.",
    )
    .argument("<capture>", "file, gzipped or plain; - reads standard input")
    .option(
      "--channels <list>",
      `only these, such as trades,book; of ${CHANNELS.join(" ")}`,
      parseChannels,
    )
    .option(
      "--venue <id>",
      "decode as this venue instead of the one that the capture names",
      parseVenueId,
    )
    .option("--json", "print the summary as JSON as well")
    .addHelpText(
      "after",
      `
Examples:
  tickwire normalize capture.ndjson.gz --channels trades > trades.ndjson
  zcat capture.ndjson.gz | tickwire normalize - --venue kraken | head`,
    )
    .action(async (path: string, options: NormalizeOptions) => {
      await normalize(path, options);
    });
}

/** `trades,book` as channels. Throws UsageError. */
function parseChannels(text: string): readonly Channel[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !CHANNELS.some((channel) => channel === name));
  if (unknown !== undefined) {
    throw new UsageError(unknownText("channel", { text: unknown, known: CHANNELS }));
  }
  return names as readonly Channel[];
}

async function normalize(path: string, options: NormalizeOptions): Promise<void> {
  const output = new LineOutput(process.stdout, { eager: false });
  const json = new EventJson();
  const clock = new SystemClock();
  // Events on the terminal show by themselves how far it is.
  const lines = printsToTerminal()
    ? openCapture(path)
    : openCaptureWithProgress(path, { label: `reading ${path}`, clock });
  const summary = await replayCapture({
    ...options,
    source: heldBack(lines, output),
    speed: "max",
    clock,
    onEvent: (replayed: ReplayedEvent) => {
      const { event } = replayed;
      output.write(json.format(event.instrument, replayed, rowOfMarketEvent(event)));
    },
  });
  output.flush();
  await output.drained();
  remark(options.json === true ? JSON.stringify(summary) : formatSummary(summary));
  const damage = damageIn(summary);
  if (damage !== undefined) throw new CommandError(damage);
}

/** The lines of a capture, read no faster than the output takes them. */
async function* heldBack(
  lines: AsyncIterable<CaptureLine>,
  output: LineOutput,
): AsyncGenerator<CaptureLine> {
  for await (const line of lines) {
    if (output.blocked) await output.drained();
    yield line;
  }
}
