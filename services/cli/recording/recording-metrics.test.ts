import { expect, test } from "vitest";
import { createMetrics } from "#runtime/metrics.ts";
import { registerRecordingMetrics, registerReplayMetrics } from "./recording-metrics.ts";
import { RecordingError } from "#recording/recording-error.ts";

const PROGRESS = {
  topics: 3,
  events: 100,
  storedEvents: 90,
  lostEvents: 4,
  gaps: 2,
  storedBytes: 5_000,
  waitingBytes: 600,
  files: 7,
  removedFiles: 1,
  file: undefined,
  failure: undefined,
};

async function valuesOf(registry: ReturnType<typeof createMetrics>, prefix: string) {
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith(prefix));
  return lines.map((line) => line.slice(prefix.length));
}

test("a recorder shows what came, what is kept and what was lost", async () => {
  const registry = createMetrics({ version: "1" });
  let progress = PROGRESS;
  registerRecordingMetrics(registry, () => progress);
  // Read twice: what has been counted is not counted again.
  await registry.metrics();
  expect(await valuesOf(registry, "tickwire_recording_")).toEqual([
    "events_total 100",
    "stored_events_total 90",
    "lost_events_total 4",
    "gaps_total 2",
    "stored_bytes_total 5000",
    "removed_files_total 1",
    "topics 3",
    "files 7",
    "waiting_bytes 600",
    "up 1",
  ]);
  progress = { ...PROGRESS, failure: new RecordingError("disk-full", "full") as never };
  expect(await valuesOf(registry, "tickwire_recording_up")).toEqual([" 0"]);
});

test("a replay shows where it is, and whether it plays", async () => {
  const registry = createMetrics({ version: "1" });
  const status = { speed: 1, loop: false, rounds: 0, played: 12, fromTimeUs: 0, toTimeUs: 9e9 };
  registerReplayMetrics(registry, () => ({ ...status, state: "paused", positionTimeUs: 2.5e6 }));
  expect(await valuesOf(registry, "tickwire_replay_")).toEqual([
    "batches_total 12",
    "position_seconds 2.5",
    "playing 0",
  ]);
});
