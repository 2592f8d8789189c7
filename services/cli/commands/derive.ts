import { Command } from "commander";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import type { TickwireConfig } from "#config/config.ts";
import { CONSOLIDATED_VENUE, derivedVenueOf } from "#derive/derived-names.ts";
import { startDerive } from "#derive/main.ts";
import type { RunningDerive } from "#derive/main.ts";
import {
  addAdminOption,
  ADMIN_PORTS,
  adminFlags,
  runAdminServer,
} from "../process/admin-process.ts";
import type { AdminOptions } from "../process/admin-process.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { addConsolidateOption, deriveFlags } from "../process/derive-options.ts";
import type { DeriveFlags } from "../process/derive-options.ts";
import { UsageError } from "../process/errors.ts";
import { openBus } from "../process/open-bus.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { keepStreams, openStreamLog } from "../process/stream-log.ts";
import { reachableUrl } from "../process/listen-address.ts";
import { printLine } from "../output/terminal.ts";

type DeriveOptions = ConfigOptions & DeriveFlags & AdminOptions & { readonly json?: boolean };

const DEFAULTS = { admin: { port: ADMIN_PORTS.derive } };

/** `tickwire derive`: candles and consolidated quotes and books, from NATS to NATS. */
export function createDeriveCommand(): Command {
  const command = new Command("derive").description(
    "Reads what ingestors publish on NATS and publishes what follows from it: candles of every length " +
      "as venues of their own (binance-derived), and assets over several venues as the venue consolidated.",
  );
  addConsolidateOption(addConfigOptions(command));
  return addAdminOption(command, "derive")
    .option("--json", "say where it listens as one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  tickwire derive
  tickwire derive --consolidate BTC-USD --consolidate 'ETH-USD=*:ETH-USD,binance:ETH-USDT'
  tickwire derive --set derive.shard=1/3`,
    )
    .action(async (options: DeriveOptions) => {
      const flags = [...deriveFlags(options), ...adminFlags(options)];
      const config = loadCommandConfig(options, { defaults: DEFAULTS, flags });
      if (config.bus.kind === "memory") {
        throw new UsageError(
          "a deriver alone has nothing to read on a memory bus; use dev, or set bus.kind to nats",
        );
      }
      const adminPort = await runDeriveProcess(config);
      if (options.json !== true) return;
      printLine(JSON.stringify({ adminUrl: reachableUrl(config.admin.host, adminPort) }));
    });
}

/** Returns the port of its admin server. */
async function runDeriveProcess(config: TickwireConfig): Promise<number> {
  const service = createServiceProcess("derive", config);
  let busDown = false;
  let derive: RunningDerive | undefined;
  let streams: Awaited<ReturnType<typeof keepStreams>>;
  const notReadyReasons = (): string[] => [
    ...(derive === undefined ? ["starting"] : []),
    ...(derive?.hasSources === false ? ["no-sources"] : []),
    ...(busDown ? ["bus-disconnected"] : []),
    ...(streams?.notReadyReasons ?? []),
  ];
  const services = () => (derive === undefined ? [] : [derive.state]);
  const admin = await runAdminServer({ config, service, notReadyReasons, services });
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-derive" });
  bus.onEvent(({ kind }) => {
    if (kind === "disconnected" || kind === "closed") busDown = true;
    if (kind === "connected" || kind === "reconnected") busDown = false;
  });
  service.shutdown.add("bus", () => bus.drain());
  const named = config.derive.candles.venues.map(derivedVenueOf);
  streams = await keepStreams({ config, service }, [CONSOLIDATED_VENUE, ...named]);
  // A log in memory would begin with this process: it tells nothing of before.
  const log =
    config.streamLog.kind === "jetstream"
      ? await openStreamLog({ config, service, bus })
      : undefined;
  derive = await runDerive({ config, service, bus, log });
  return admin.port;
}

/** Starts a deriver on a bus, to be closed by the shutdown. */
export async function runDerive(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
  readonly log?: StreamLog | undefined;
}): Promise<RunningDerive> {
  const { config, service, bus, log } = parts;
  const derive = await startDerive({
    config: config.derive,
    bus,
    log,
    clock: service.clock,
    logger: service.logger,
    registry: service.metrics,
  });
  service.shutdown.add("derive", () => derive.close());
  return derive;
}
