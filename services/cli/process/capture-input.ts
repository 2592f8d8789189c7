import { accessSync, constants, createReadStream, statSync } from "node:fs";
import type { Instrument, Channel } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { Clock } from "#core/clock.ts";
import type { CaptureLine } from "#ingest/capture/capture-format.ts";
import { readCapture, readCaptureStream } from "#ingest/capture/capture-reader.ts";
import type { CaptureContents } from "#ingest/capture/replay-options.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { startProgress } from "../output/progress-bar.ts";
import { statusLine } from "../output/terminal.ts";
import { CommandError } from "./errors.ts";

/** How many lines are read between two looks at how far the file has been read. */
const LINES_PER_LOOK = 64;

/**
 * The lines of a capture by its path; `-` is standard input. Throws `CommandError` if it cannot be
 * read.
 */
export function openCapture(path: string): AsyncIterable<CaptureLine> {
  if (path === "-") return readCaptureStream(process.stdin);
  assertReadable(path);
  return readCapture(path);
}

/** The same with a bar on the terminal that says how much of the file has been read. */
export function openCaptureWithProgress(
  path: string,
  watch: { readonly label: string; readonly clock: Clock },
): AsyncIterable<CaptureLine> {
  if (path === "-") return readCaptureStream(process.stdin);
  assertReadable(path);
  return linesWithProgress(path, watch);
}

function assertReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new CommandError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (statSync(path).isDirectory())
    throw new CommandError(`cannot read ${path}: it is a directory`);
}

async function* linesWithProgress(
  path: string,
  { label, clock }: { readonly label: string; readonly clock: Clock },
): AsyncGenerator<CaptureLine> {
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
  const { size } = statSync(path);
  const total = size === 0 ? undefined : size;
  const progress = startProgress({ label, unit: "bytes", total, line: statusLine(), clock });
  let lines = 0;
  try {
    for await (const line of readCaptureStream(stream)) {
      if (lines % LINES_PER_LOOK === 0) progress.update(stream.bytesRead);
      lines += 1;
      yield line;
    }
  } finally {
    progress.end();
  }
}

/** Reads a capture once, as fast as it goes, to know its venue and topics before it is replayed. */
export async function scanCapture(
  path: string,
  options: { readonly clock: Clock; readonly venue?: string },
): Promise<CaptureContents> {
  const seen = new Map<Instrument, { channels: Set<Channel>; intervalsMs: Set<number> }>();
  const { venue } = await replayCapture({
    ...options,
    source: openCapture(path),
    speed: "max",
    onEvent: ({ event }) => {
      let known = seen.get(event.instrument);
      if (known === undefined) {
        known = { channels: new Set(), intervalsMs: new Set() };
        seen.set(event.instrument, known);
      }
      known.channels.add(CHANNEL_OF_KIND[event.kind]);
      if (event.kind === "candle") known.intervalsMs.add(event.intervalMs);
    },
  });
  const streams = [...seen].map(([instrument, { channels, intervalsMs }]) => ({
    instrument,
    channels: [...channels],
    candleIntervalsMs: [...intervalsMs],
  }));
  return { venue, streams };
}
