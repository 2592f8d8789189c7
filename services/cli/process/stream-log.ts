import type { Bus } from "#bus/bus.ts";
import type { JetStreamLog } from "#bus/jetstream-log.ts";
import { MemoryLog } from "#bus/memory-log.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import type { TickwireConfig } from "#config/config.ts";
import { StreamKeeper } from "#publish/stream-keeper.ts";
import { natsOptionsOf } from "./open-bus.ts";
import type { ServiceProcess } from "./service-process.ts";
import { registerMemoryLogMetrics, registerStreamMetrics } from "./stream-log-metrics.ts";

type StreamLogParts = {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
};

/**
 * The log that a gateway reads, to be closed by the shutdown; undefined if none is turned on.
 * Opening it waits for nothing: a log that is away is away for whoever asks it.
 */
export async function openStreamLog({
  config,
  service,
  bus,
}: StreamLogParts): Promise<StreamLog | undefined> {
  const { kind, ageMsMax, memory } = config.streamLog;
  if (kind === "off") return undefined;
  let log: StreamLog;
  if (kind === "jetstream") log = await openJetStreamLog(config, "tickwire-gateway-log");
  else {
    const { clock } = service;
    const { bytesMax, topicBytesMax: subjectBytesMax } = memory;
    const kept = new MemoryLog({ bus, clock, limits: { bytesMax, subjectBytesMax, ageMsMax } });
    registerMemoryLogMetrics(service.metrics, kept.counters);
    log = kept;
  }
  service.shutdown.add("log", () => log.close());
  return log;
}

/**
 * Has JetStream keep what is published of these venues, if that is on. Waits for no server. Returns
 * what says why it does not; undefined if it is not wanted.
 */
export async function keepStreams(
  { config, service }: Omit<StreamLogParts, "bus">,
  venues: readonly string[] = config.ingest.venues.map(({ id }) => id),
): Promise<Pick<StreamKeeper, "notReadyReasons"> | undefined> {
  const { kind, ageMsMax, jetStream } = config.streamLog;
  if (kind !== "jetstream") return undefined;
  const log = await openJetStreamLog(config, "tickwire-publisher-log");
  const { storage, replicas, bytesMax } = jetStream;
  const { clock, logger, metrics, shutdown } = service;
  const keeper = new StreamKeeper({
    log,
    clock,
    logger,
    venues,
    settings: { storage, replicas, bytesMax, ageMsMax },
  });
  registerStreamMetrics(metrics, () => keeper.standings);
  keeper.start();
  shutdown.add("streams", async () => {
    keeper.close();
    await log.close();
  });
  return keeper;
}

/** A log of JetStream over a connection of its own. What it needs is read where it is on. */
async function openJetStreamLog(config: TickwireConfig, name: string): Promise<JetStreamLog> {
  const { JetStreamLog } = await import("#bus/jetstream-log.ts");
  const { timeoutMs } = config.streamLog.jetStream;
  return new JetStreamLog({ ...natsOptionsOf(config.bus.nats), name, timeoutMs });
}
