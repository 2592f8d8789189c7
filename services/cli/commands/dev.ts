import { complain, printLine, printLines, remark } from "../output/terminal.ts";
import { visibleText } from "#core/visible-text.ts";
import { Command } from "commander";
import type { RunningDerive } from "#derive/main.ts";
import type { Bus } from "#bus/bus.ts";
import type { CaptureContents } from "#ingest/capture/replay-options.ts";
import type { AdminCommand } from "#runtime/admin-server.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { describeError } from "../process/errors.ts";
import { isRecording, prepareRecording } from "../recording/play-recording.ts";
import { registerReplayMetrics } from "../recording/recording-metrics.ts";
import { replayCommand } from "../recording/replay-control.ts";
import { tellEnd } from "../recording/replay-recording.ts";
import type { RunningGateway } from "#gateway/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { addAdminOption, ADMIN_PORTS, runAdminServer } from "../process/admin-process.ts";
import { addConfigOptions, loadCommandConfig } from "../process/config-options.ts";
import { addConsolidateOption, deriveFlags } from "../process/derive-options.ts";
import type { DeriveFlags } from "../process/derive-options.ts";
import { runDerive } from "./derive.ts";
import { addGatewayOptions, gatewayFlags, runGateway, type GatewayOptions } from "./gateway.ts";
import { exampleOfCaptures, exampleOfVenue, hints } from "../output/dev-hints.ts";
import { runIngest } from "./ingest.ts";
import { addChaosOption, withChaos } from "../process/chaos-option.ts";
import { openBrowser } from "../process/open-browser.ts";
import { openBus } from "../process/open-bus.ts";
import { addReplayOptions, playCaptures, replayServiceOptions } from "../process/replay-service.ts";
import type { ReplayFlags, ReplayServiceOptions } from "../process/replay-service.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { addVenueOption, venueFlags } from "../process/venue-options.ts";
import { watchVenues } from "../process/venue-watch.ts";
import { gatewayUrl, reachableUrl, socketAddress } from "../process/listen-address.ts";

type DevOptions = GatewayOptions &
  ReplayFlags &
  DeriveFlags & {
    readonly chaos?: readonly string[];
    readonly open?: boolean;
  };

/** In development no client has to be given time to leave. */
const DEFAULTS = {
  bus: { kind: "memory" },
  streamLog: { kind: "memory" },
  gateway: { drainWindowMs: 0, lameDuckMs: 0 },
  admin: { port: ADMIN_PORTS.dev },
  log: { level: "warn" },
};

/**
 * A deriver follows everything at once. A replay that waits for its first subscriber would take it
 * for one, so there it runs only if it is wanted.
 */
function defaultsFor(isReplay: boolean): typeof DEFAULTS & { readonly derive: object } {
  return { ...DEFAULTS, derive: { enabled: !isReplay } };
}

/** `tickwire dev`: everything in one process. */
export function createDevCommand(): Command {
  const command = new Command("dev").description(
    "Runs ingest and gateway in one process on the memory bus, with the simulated venue " +
      "unless told otherwise.",
  );
  addReplayOptions(addChaosOption(addGatewayOptions(addVenueOption(addConfigOptions(command)))));
  addConsolidateOption(command);
  return addAdminOption(command, "dev")
    .option("--open", "open the page in a browser")
    .option("--json", "say where it listens as one JSON object")
    .addHelpText(
      "after",
      `
With --replay, the captures (or one recording, as replay-VENUE) start to play when the first subscriber is there, so that it gets
every event. Several play side by side, one of each venue.

Examples:
  tickwire dev
  tickwire dev --open
  tickwire dev --chaos drop=0.1%,disconnect=2m
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
    ...deriveFlags(options),
  ];
  const isReplay = replay !== undefined;
  const loaded = loadCommandConfig(options, { defaults: defaultsFor(isReplay), flags });
  const config = withChaos(loaded, options.chaos, { isReplay });
  const service = createServiceProcess("dev", config);
  let gateway: RunningGateway | undefined;
  const notReadyReasons = () => gateway?.notReadyReasons() ?? ["starting"];
  let ingest: RunningIngest | undefined;
  let derive: RunningDerive | undefined;
  const mayAdminister = async (secret: string, address: string): Promise<boolean> =>
    (await gateway?.mayAdminister(secret, address)) === true;
  const services = () => [gateway, ingest, derive].flatMap((running) => running?.state ?? []);
  const commands = new Map<string, AdminCommand>();
  const metricsOfThreads = async () => (await gateway?.metricsOfThreads()) ?? "";
  const own = { notReadyReasons, services, mayAdminister, metricsOfThreads, commands };
  const admin = await runAdminServer({ config, service, ...own });
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-dev" });
  service.shutdown.add("bus", () => bus.drain());
  // The gateway starts first, so that a port in use is noticed before a venue is dialled.
  gateway = await runGateway({ config, service, bus });
  if (config.derive.enabled) derive = await runDerive({ config, service, bus });
  const url = gatewayUrl(gateway, config.gateway);
  const listens = socketAddress(gateway.address, gateway.port);
  const adminUrl = reachableUrl(config.admin.host, admin.port);
  if (replay === undefined) {
    ingest = await runIngest({ config, service, bus });
    const running = ingest;
    watchVenues({ ...service, venues: () => running.stats().venues, tell: remark });
    const { venues } = config.ingest;
    const ids = venues.map(({ id }) => id);
    tellStart(options, { url, adminUrl, venues: ids }, [
      `tickwire streams ${ids.join(", ")} on ${listens}`,
      ...hints({ url, adminUrl }, exampleOfVenue(venues[0])),
    ]);
    return;
  }
  const [path = ""] = replay.paths;
  const captures = isRecording(path)
    ? await playRecording(path, { bus, service, replay, commands })
    : await playCaptures(bus, service, replay);
  const played = captures.map(({ venue, streams }) => `${venue} (${countOf(streams.length)})`);
  const venues = captures.map(({ venue }) => venue);
  tellStart(options, { url, adminUrl, venues }, [
    `tickwire replays ${played.join(", ")} on ${listens}`,
    ...describeStart(replay),
    ...hints({ url, adminUrl }, exampleOfCaptures(captures)),
  ]);
}

/** Tells that all is there, to people in lines or to programs as JSON, and opens the page. */
function tellStart(
  { open, json }: DevOptions,
  start: {
    readonly url: string;
    readonly adminUrl: string;
    readonly venues: readonly string[];
  },
  lines: readonly string[],
): void {
  if (json === true) printLine(JSON.stringify(start));
  else printLines(lines.map(visibleText).join("\n"));
  if (open === true) openBrowser(start.url, remark);
}

/** Plays a recording as venues of its own, and lets operators say how. Returns what it streams. */
async function playRecording(
  path: string,
  parts: {
    readonly bus: Bus;
    readonly service: ServiceProcess;
    readonly replay: ReplayServiceOptions;
    readonly commands: Map<string, AdminCommand>;
  },
): Promise<readonly CaptureContents[]> {
  const { bus, service, replay: options, commands } = parts;
  const played = await prepareRecording(path, bus, service, options);
  const { replay } = played;
  commands.set("replay", replayCommand(replay.player));
  registerReplayMetrics(service.metrics, () => replay.player.status);
  const fail = (error: unknown): void => {
    complain(`the replay failed: ${describeError(error)}`);
    void service.shutdown.run(ExitCode.Failure);
  };
  replay.run({ stay: !options.exitWhenDone }).then(() => {
    if (service.shutdown.started) return;
    void service.shutdown.run(tellEnd(played));
  }, fail);
  return replay.venues.map(({ venue, streams }) => ({ venue, streams }));
}

function describeStart({ startOnSubscribe, exitWhenDone, speed }: ReplayServiceOptions): string[] {
  const pace = speed === "max" ? "as fast as possible" : `${speed} times real speed`;
  const start = startOnSubscribe ? "when the first subscriber is there" : "now";
  const end = exitWhenDone ? "ends after it" : "serves on after it";
  return [`the replay starts ${start}, ${pace}, and ${end}`];
}

function countOf(instruments: number): string {
  return instruments === 1 ? "1 instrument" : `${instruments} instruments`;
}
