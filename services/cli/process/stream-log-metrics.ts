import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { StreamKeeper } from "#publish/stream-keeper.ts";

/** What a log in memory keeps. */
export function registerMemoryLogMetrics(
  registry: Registry,
  counters: Readonly<Record<"entries" | "bytes" | "evicted", number>>,
): void {
  const gauges = {
    entries: "Batches that the stream log in memory keeps.",
    bytes: "Memory of the batches that the stream log in memory keeps.",
    evicted: "Batches that made room in the stream log in memory before they were too old.",
  };
  for (const [key, help] of Object.entries(gauges)) {
    new Gauge({
      name: `tickwire_stream_log_${key}`,
      help,
      registers: [registry],
      collect() {
        this.set(counters[key as keyof typeof counters]);
      },
    });
  }
}

/** What JetStream keeps of a publisher's venues. */
export function registerStreamMetrics(
  registry: Registry,
  standings: () => StreamKeeper["standings"],
): void {
  const labelNames = ["venue"];
  const registers = [registry];
  new Gauge({
    name: "tickwire_stream_log_kept",
    help: "Whether JetStream keeps the venue's events, as far as was heard: 1 or 0.",
    labelNames,
    registers,
    collect() {
      for (const { venue, isKept } of standings()) this.set({ venue }, isKept ? 1 : 0);
    },
  });
  new Gauge({
    name: "tickwire_stream_log_stored_bytes",
    help: "Bytes that JetStream keeps of the venue's events, when it was last asked.",
    labelNames,
    registers,
    collect() {
      for (const { venue, stream } of standings()) {
        if (stream !== undefined) this.set({ venue }, stream.bytes);
      }
    },
  });
  new Gauge({
    name: "tickwire_stream_log_oldest_seconds",
    help: "When the oldest of the venue's events was stored that JetStream keeps, since 1970.",
    labelNames,
    registers,
    collect() {
      for (const { venue, stream } of standings()) {
        if (stream !== undefined) this.set({ venue }, stream.oldestTimeUs / 1e6);
      }
    },
  });
}
