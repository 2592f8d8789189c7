import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { ReplayStatus } from "#recording/replay/replay-player.ts";
import type { RecordingProgress } from "#recording/writing/recording-writer.ts";

/** A number that is read when the metrics are. */
type Reading = { readonly name: string; readonly help: string; readonly read: () => number };

/** What a recorder does. */
export function registerRecordingMetrics(
  registry: Registry,
  progress: () => RecordingProgress,
): void {
  const counters = {
    events: "Events that came, without the states that topics began with.",
    storedEvents: "Those of the events that are in the files.",
    lostEvents: "Events that were left out because the disk did not take them in time.",
    gaps: "Gaps that were written down, those of the recorder among them.",
    storedBytes: "Bytes that were written.",
    removedFiles: "Files that were removed because of their age or of the size of all.",
  } as const;
  for (const [key, help] of Object.entries(counters)) {
    const name = `tickwire_recording_${snakeCase(key)}_total`;
    const read = (): number => progress()[key as keyof typeof counters];
    addCounter(registry, { name, help, read });
  }
  const gauges: readonly Reading[] = [
    {
      name: "tickwire_recording_topics",
      help: "Topics that are recorded.",
      read: () => progress().topics,
    },
    {
      name: "tickwire_recording_files",
      help: "Files of the recording.",
      read: () => progress().files,
    },
    {
      name: "tickwire_recording_waiting_bytes",
      help: "What waits for the disk, before compression.",
      read: () => progress().waitingBytes,
    },
    {
      name: "tickwire_recording_up",
      help: "Whether the disk takes the recording: 0 while it is full or fails.",
      read: () => (progress().failure === undefined ? 1 : 0),
    },
  ];
  for (const gauge of gauges) addGauge(registry, gauge);
}

/** What a replay does. */
export function registerReplayMetrics(registry: Registry, status: () => ReplayStatus): void {
  addCounter(registry, {
    name: "tickwire_replay_batches_total",
    help: "Batches and notices of the recording that were played.",
    read: () => status().played,
  });
  addGauge(registry, {
    name: "tickwire_replay_position_seconds",
    help: "Where the replay is, in the recording's time since 1970.",
    read: () => status().positionTimeUs / 1e6,
  });
  addGauge(registry, {
    name: "tickwire_replay_playing",
    help: "Whether the replay plays: 0 while it is paused, or has ended.",
    read: () => (status().state === "playing" ? 1 : 0),
  });
}

function addCounter(registry: Registry, { name, help, read }: Reading): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function addGauge(registry: Registry, { name, help, read }: Reading): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
