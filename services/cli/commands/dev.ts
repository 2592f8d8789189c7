import { Command } from "commander";
import type { RunningGateway } from "#gateway/main.ts";
import { addAdminOption, ADMIN_PORTS, runAdminServer } from "../process/admin-process.ts";
import { addConfigOptions, loadCommandConfig } from "../process/config-options.ts";
import { addGatewayOptions, gatewayFlags, runGateway, type GatewayOptions } from "./gateway.ts";
import { runIngest } from "./ingest.ts";
import { openBus } from "../process/open-bus.ts";
import { addReplayOptions, playCapture, replayServiceOptions } from "../process/replay-service.ts";
import type { ReplayFlags, ReplayServiceOptions } from "../process/replay-service.ts";
import { createServiceProcess } from "../process/service-process.ts";
import { addVenueOption, venueFlags } from "../process/venue-options.ts";

type DevOptions = GatewayOptions & ReplayFlags;

/** In development no client has to be given time to leave. */
const DEFAULTS = {
  bus: { kind: "memory" },
  gateway: { drainWindowMs: 0, lameDuckMs: 0 },
  admin: { port: ADMIN_PORTS.dev },
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
  return addAdminOption(command, "dev")
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
  let gateway: RunningGateway | undefined;
  const notReadyReasons = () => gateway?.notReadyReasons() ?? ["starting"];
  const admin = await runAdminServer({ config, service, notReadyReasons });
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-dev" });
  service.shutdown.add("bus", () => bus.drain());
  // The gateway starts first, so that a port in use is noticed before a venue is dialled.
  gateway = await runGateway({ config, service, bus });
  const address = reachableAddress(gateway.address, gateway.port);
  const listens = socketAddress(gateway.address, gateway.port);
  const adminAddress = reachableAddress(config.admin.host, admin.port);
  if (replay === undefined) {
    await runIngest({ config, service, bus });
    const venues = config.ingest.venues.map(({ id }) => id);
    print([
      `tickwire streams ${venues.join(", ")} on ${listens}`,
      ...hints({ address, adminAddress }, exampleOf(config.ingest.venues[0])),
    ]);
    return;
  }
  const { venue, symbols } = await playCapture(bus, service, replay);
  const example = { venue, symbol: symbols[0] ?? "*" };
  print([
    `tickwire replays ${venue} (${symbols.length} instruments) on ${listens}`,
    ...describeStart(replay),
    ...hints({ address, adminAddress }, example),
  ]);
}

/**
 * An address as a client on this machine writes it. Where the server listens on every address, that
 * is the loopback one, because the wildcard cannot be connected to.
 */
function reachableAddress(host: string, port: number): string {
  return socketAddress(host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host, port);
}

function socketAddress(host: string, port: number): string {
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
function hints(
  { address, adminAddress }: { readonly address: string; readonly adminAddress: string },
  { venue, symbol }: Example,
): string[] {
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
    `  curl -s http://${adminAddress}/metrics   # also /healthz and /readyz`,
    "",
    "Ctrl-C ends it",
  ];
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}
