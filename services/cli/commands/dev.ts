import { Command } from "commander";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { addGatewayOptions, gatewayFlags, runGateway } from "./gateway.ts";
import { runIngest } from "./ingest.ts";
import { openBus } from "../process/open-bus.ts";
import { addReplayOptions, playCapture, replayServiceOptions } from "../process/replay-service.ts";
import type { ReplayFlags, ReplayServiceOptions } from "../process/replay-service.ts";
import { createServiceProcess } from "../process/service-process.ts";
import { addVenueOption, venueFlags } from "../process/venue-options.ts";

type DevOptions = ConfigOptions &
  ReplayFlags & {
    readonly host?: string;
    readonly port?: string;
    readonly transport?: string;
  };

/** In development no client has to be given time to leave. */
const DEFAULTS = {
  bus: { kind: "memory" },
  gateway: { drainWindowMs: 0 },
  log: { level: "warn" },
};

/** `tickwire dev`: everything in one process. */
export function createDevCommand(): Command {
  const command = new Command("dev")
    .summary("run everything in one process")
    .description(
      "Runs ingest and gateway in one process on the memory bus, with the simulated venue " +
        "unless told otherwise.",
    );
  addReplayOptions(addGatewayOptions(addVenueOption(addConfigOptions(command))));
  return command
    .addHelpText(
      "after",
      `
With --replay, the capture starts to play when the first subscriber is there, so that it gets
every event.

Examples:
  tickwire dev
  tickwire dev --venue binance:BTC-USDT,ETH-USDT --venue coinbase:BTC-USD
  tickwire dev --replay capture.ndjson.gz --speed 10`,
    )
    .action(async (options: DevOptions) => {
      await runDev(options);
    });
}

async function runDev(options: DevOptions): Promise<void> {
  const replay = replayServiceOptions(options);
  const flags = [
    ...gatewayFlags(options),
    ...(replay === undefined ? venueFlags(options.venue) : []),
  ];
  const config = loadCommandConfig(options, { defaults: DEFAULTS, flags });
  const service = createServiceProcess("dev", config);
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-dev" });
  service.shutdown.add("bus", () => bus.drain());
  // The gateway starts first, so that a port in use is noticed before a venue is dialled.
  const gateway = await runGateway({ config, service, bus });
  const address = reachableAddress(config.gateway.host, gateway.port);
  if (replay === undefined) {
    await runIngest({ config, service, bus });
    const venues = config.ingest.venues.map(({ id }) => id);
    print([
      `tickwire streams ${venues.join(", ")} on ${address}`,
      ...hints(address, exampleOf(config.ingest.venues[0])),
    ]);
    return;
  }
  const { venue, symbols } = await playCapture(bus, service, replay);
  const example = { venue, symbol: symbols[0] ?? "*" };
  print([
    `tickwire replays ${venue} (${symbols.length} instruments) on ${address}`,
    ...describeStart(replay),
    ...hints(address, example),
  ]);
}

/**
 * The address for a client on this machine. A gateway that listens on all addresses (`0.0.0.0`) is
 * reached at the loopback address.
 */
function reachableAddress(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `127.0.0.1:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

type Example = { readonly venue: string; readonly symbol: string };

function exampleOf(
  venue: { readonly id: string; readonly instruments: readonly string[] } | undefined,
): Example {
  const id = venue?.id ?? "simulated";
  return { venue: id, symbol: venue?.instruments[0] ?? (id === "simulated" ? "BTC-USD" : "*") };
}

function describeStart({ startOnSubscribe, exitWhenDone, speed }: ReplayServiceOptions): string[] {
  const pace = speed === "max" ? "as fast as possible" : `${speed} times real speed`;
  const start = startOnSubscribe ? "when the first subscriber is there" : "now";
  const end = exitWhenDone ? "ends after it" : "serves on after it";
  return [`the replay starts ${start}, ${pace}, and ${end}`];
}

/** What to try next, one command a line. */
function hints(address: string, { venue, symbol }: Example): string[] {
  const at = address === "127.0.0.1:8080" ? "default" : `ws://${address}`;
  const url = at === "default" ? "" : ` --url http://${address}`;
  const one = symbol === "*" ? "" : `,"symbol":"${symbol}","depth":5`;
  const method = symbol === "*" ? "ListInstruments" : "GetSnapshot";
  return [
    "",
    "try in another terminal:",
    `  npx tickwire subscribe ${at} '${venue}:${symbol}/trades' --count 5`,
    `  npx tickwire subscribe ${at} '${venue}:*/quotes' --json --count 5`,
    `  npx tickwire call ${method} '{"venue":"${venue}"${one}}'${url}`,
    `  curl -s http://${address}/tickwire.v1.MarketData/ListInstruments -H 'content-type: application/json' -d '{}'`,
    `  curl -s http://${address}/metrics`,
    "",
    "Ctrl-C ends it",
  ];
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}
