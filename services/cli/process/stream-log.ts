import { Gauge } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { MemoryLog } from "#bus/memory-log.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import type { TickwireConfig } from "#config/config.ts";
import { StreamKeeper } from "#publish/stream-keeper.ts";
import { natsOptionsOf } from "./open-bus.ts";
import type { ServiceProcess } from "./service-process.ts";

type StreamLogParts = {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
};

/**
 * The log that a gateway reads, to be closed by the shutdown; undefined if none is turned on.
 * Opening it waits for nothing: a log that is away is away for whoever asks it.
 */
export function openStreamLog({ config, service, bus }: StreamLogParts): StreamLog | undefined {
  const { kind, ageMsMax, memory } = config.streamLog;
  if (kind === "off") return undefined;
  let log: StreamLog;
  if (kind === "jetstream") log = openJetStreamLog(config, "tickwire-gateway-log");
  else {
    const { clock } = service;
    const { bytesMax, topicBytesMax: subjectBytesMax } = memory;
    const kept = new MemoryLog({ bus, clock, limits: { bytesMax, subjectBytesMax, ageMsMax } });
    registerMemoryMetrics(service, kept);
    log = kept;
  }
  service.shutdown.add("log", () => log.close());
  return log;
}

/** Has JetStream keep what an ingestor publishes, if that is turned on. Waits for nothing. */
export function keepStreams({ config, service }: Omit<StreamLogParts, "bus">): void {
  const { kind, ageMsMax, jetStream } = config.streamLog;
  if (kind !== "jetstream") return;
  const log = openJetStreamLog(config, "tickwire-ingest-log");
  const { storage, replicas, bytesMax } = jetStream;
  const { clock, logger, metrics, shutdown } = service;
  const keeper = new StreamKeeper({
    log,
    clock,
    logger,
    venues: config.ingest.venues.map(({ id }) => id),
    settings: { storage, replicas, bytesMax, ageMsMax },
  });
  registerKeeperMetrics(metrics, keeper);
  keeper.start();
  shutdown.add("streams", async () => {
    keeper.close();
    await log.close();
  });
}

/** A log of JetStream over a connection of its own. */
function openJetStreamLog(config: TickwireConfig, name: string): JetStreamLog {
  const { timeoutMs } = config.streamLog.jetStream;
  return new JetStreamLog({ ...natsOptionsOf(config.bus.nats), name, timeoutMs });
}

function registerMemoryMetrics({ metrics }: ServiceProcess, { counters }: MemoryLog): void {
  const gauges = {
    entries: "Batches that the stream log in memory keeps.",
    bytes: "Memory of the batches that the stream log in memory keeps.",
    evicted: "Batches that made room in the stream log in memory before they were too old.",
  };
  for (const [key, help] of Object.entries(gauges)) {
    new Gauge({
      name: `tickwire_stream_log_${key}`,
      help,
      registers: [metrics],
      collect() {
        this.set(counters[key as keyof typeof counters]);
      },
    });
  }
}

function registerKeeperMetrics(registry: ServiceProcess["metrics"], keeper: StreamKeeper): void {
  const labelNames = ["venue"];
  const registers = [registry];
  new Gauge({
    name: "tickwire_stream_log_kept",
    help: "Whether JetStream keeps the venue's events, as far as was heard: 1 or 0.",
    labelNames,
    registers,
    collect() {
      for (const { venue, isKept } of keeper.standings) this.set({ venue }, isKept ? 1 : 0);
    },
  });
  new Gauge({
    name: "tickwire_stream_log_stored_bytes",
    help: "Bytes that JetStream keeps of the venue's events, when it was last asked.",
    labelNames,
    registers,
    collect() {
      for (const { venue, stream } of keeper.standings) {
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
      for (const { venue, stream } of keeper.standings) {
        if (stream !== undefined) this.set({ venue }, stream.oldestTimeUs / 1e6);
      }
    },
  });
}
