import { Command } from "commander";
import type { Bus } from "#bus/bus.ts";
import { startIngest, type RunningIngest } from "#ingest/main.ts";
import { unservedVenues } from "#ingest/venue/subscription-health.ts";
import type { TickwireConfig } from "#config/config.ts";
import {
  addAdminOption,
  ADMIN_PORTS,
  adminFlags,
  runAdminServer,
} from "../process/admin-process.ts";
import type { AdminOptions } from "../process/admin-process.ts";
import { addChaosOption, withChaos } from "../process/chaos-option.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { UsageError } from "../process/errors.ts";
import { openBus } from "../process/open-bus.ts";
import { isRecording } from "../recording/play-recording.ts";
import { addReplayOptions, playCaptures, replayServiceOptions } from "../process/replay-service.ts";
import type { ReplayFlags, ReplayServiceOptions } from "../process/replay-service.ts";
import { keepStreams } from "../process/stream-log.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { addVenueOption, venueFlags } from "../process/venue-options.ts";
import { reachableUrl } from "../process/listen-address.ts";
import { printLine } from "../output/terminal.ts";

type IngestOptions = ConfigOptions &
  ReplayFlags &
  AdminOptions & { readonly chaos?: readonly string[]; readonly json?: boolean };

const DEFAULTS = { admin: { port: ADMIN_PORTS.ingest } };

/** `tickwire ingest`: venues, or a capture, to NATS. */
export function createIngestCommand(): Command {
  const command = new Command("ingest").description(
    "Connects to venues and publishes what they say on NATS. One ingestor a venue.",
  );
  addReplayOptions(addChaosOption(addVenueOption(addConfigOptions(command))));
  return addAdminOption(command, "ingest")
    .option("--json", "say where it listens as one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  tickwire ingest --venue binance:BTC-USDT,ETH-USDT --venue kraken:BTC-USD
  tickwire ingest --replay capture.ndjson.gz --speed 10`,
    )
    .action(async (options: IngestOptions) => {
      const replay = replayServiceOptions(options);
      if (replay?.paths.some(isRecording) === true) {
        throw new UsageError("ingest --replay takes captures; tickwire replay plays a recording");
      }
      const flags = [
        ...venueFlags(replay === undefined ? options.venue : []),
        ...adminFlags(options),
      ];
      const loaded = loadCommandConfig(options, { defaults: DEFAULTS, flags });
      const config = withChaos(loaded, options.chaos, { isReplay: replay !== undefined });
      if (config.bus.kind === "memory") {
        throw new UsageError(
          "an ingestor alone reaches nobody over a memory bus; use dev, or set bus.kind to nats",
        );
      }
      const { adminPort, venues } = await runIngestProcess(config, replay);
      if (options.json !== true) return;
      printLine(JSON.stringify({ adminUrl: reachableUrl(config.admin.host, adminPort), venues }));
    });
}

async function runIngestProcess(
  config: TickwireConfig,
  replay: ReplayServiceOptions | undefined,
): Promise<{ readonly adminPort: number; readonly venues: readonly string[] }> {
  const service = createServiceProcess("ingest", config);
  let starting = true;
  let busDown = false;
  let ingest: RunningIngest | undefined;
  let streams: Awaited<ReturnType<typeof keepStreams>>;
  const notReadyReasons = (): string[] => [
    ...unservedVenues(ingest?.stats().venues ?? []),
    ...(starting ? ["starting"] : []),
    ...(busDown ? ["bus-disconnected"] : []),
    ...(streams?.notReadyReasons ?? []),
  ];
  const services = () => (ingest === undefined ? [] : [ingest.state]);
  const admin = await runAdminServer({ config, service, notReadyReasons, services });
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-ingest" });
  bus.onEvent(({ kind }) => {
    if (kind === "disconnected" || kind === "closed") busDown = true;
    if (kind === "connected" || kind === "reconnected") busDown = false;
  });
  service.shutdown.add("bus", () => bus.drain());
  streams = await keepStreams({ config, service });
  let venues = config.ingest.venues.map(({ id }) => id as string);
  if (replay === undefined) ingest = await runIngest({ config, service, bus });
  else venues = (await playCaptures(bus, service, replay)).map(({ venue }) => venue);
  starting = false;
  return { adminPort: admin.port, venues };
}

/** Starts an ingestor on a bus, to be closed by the shutdown. */
export async function runIngest(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
}): Promise<RunningIngest> {
  const { config, service, bus } = parts;
  const ingest = await startIngest({
    config: config.ingest,
    bus,
    clock: service.clock,
    logger: service.logger,
    registry: service.metrics,
    tracing: service.tracing,
  });
  service.shutdown.add("ingest", () => ingest.close());
  return ingest;
}
