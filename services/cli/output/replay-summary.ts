import { visibleText } from "#core/visible-text.ts";
import type { ReplaySummary } from "#ingest/capture/replay-options.ts";

/** Clocks that differ by less are as good as clocks are. */
const CLOCK_OFFSET_US_MAX = 1_000_000;

/** What a replay did, for people; several lines with a newline at the end. */
export function formatSummary(summary: ReplaySummary): string {
  const { checksumsPassed, checksumsFailed } = summary;
  const seconds = (summary.elapsedMs / 1000).toFixed(2);
  const lines: (readonly [string, string | number])[] = [
    ["venue", summary.venue],
    ["frames", summary.frames],
    ["damaged lines", summary.damagedLines],
    ["events", formatCounts(summary.events)],
    ["rejected", formatCounts(summary.rejected)],
    ["historical trades", summary.historicalTrades],
    ["duplicate trades", summary.duplicateTrades],
    ["gaps", summary.gaps],
    ["resyncs", summary.resyncs],
    ["checksums", `${checksumsPassed} passed, ${checksumsFailed} failed`],
    ...clockLine(summary.clockOffsetUs),
    ["speed", `${summary.framesPerSecond} frames/s (${seconds} s)`],
  ];
  return lines
    .map(([name, value]) => `${`${name}:`.padEnd(19)}${visibleText(String(value))}\n`)
    .join("");
}

/** What is to be said of a capture that is not whole; undefined if it is. */
export function damageIn({ damagedLines }: ReplaySummary): string | undefined {
  if (damagedLines === 0) return undefined;
  const lines = damagedLines === 1 ? "1 line" : `${damagedLines} lines`;
  return `${lines} of the capture could not be read; what was in them is missing`;
}

/** Nothing, unless the venue's events came before they happened: no message is that fast. */
function clockLine(offsetUs = 0): (readonly [string, string])[] {
  if (offsetUs <= CLOCK_OFFSET_US_MAX) return [];
  const seconds = (offsetUs / 1e6).toFixed(1);
  return [["clock", `that of the recording is ${seconds} s behind the venue's`]];
}

function formatCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return "0";
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  return `${total} (${entries.map(([name, count]) => `${name} ${count}`).join(", ")})`;
}
