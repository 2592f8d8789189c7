import { examineStream } from "#bus/jetstream-examination.ts";
import { printLine, printParts } from "../output/terminal.ts";
import { Command } from "commander";
import { ingestConfig, type VenueConfig } from "#ingest/config.ts";
import type { TickwireConfig } from "#config/config.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { checkPublishers } from "./doctor-checks.ts";
import type { Check } from "./doctor-checks.ts";
import { checkStreamLog } from "./doctor-log.ts";
import { examineVenue } from "./doctor-examine.ts";
import { UsageError } from "../process/errors.ts";
import { natsOptionsOf, openBus } from "../process/open-bus.ts";
import { parseSeconds } from "../process/parse-option.ts";
import { hearPublishers } from "../process/publishers-watch.ts";
import { createServiceProcess } from "../process/service-process.ts";
import type { ServiceProcess } from "../process/service-process.ts";
import { openVenueNetwork } from "#ingest/venue-network.ts";
import { parseVenueId } from "../process/venue-id.ts";
import { parseVenue } from "../process/venue-options.ts";

type DoctorOptions = ConfigOptions & {
  readonly duration: number;
  readonly json?: boolean;
  readonly publishers?: boolean;
  readonly streamLog?: boolean;
};

/** `tickwire doctor VENUE`: whether a venue can be followed from here. */
export function createDoctorCommand(): Command {
  const command = new Command("doctor")
    .description(
      "Connects to a venue as ingest does, follows it for some seconds, and says what is right and what is " +
        "not. Books get 30 s to come into sync. Exit code 0 if nothing failed, 1 otherwise; warnings do not count.",
    )
    .argument("<venue>", "ID or ID:SYMBOL,SYMBOL; two instruments that are surely traded if none")
    .option(
      "--duration <seconds>",
      "follow the streams for this long once the books are in sync",
      parseSeconds,
      15,
    )
    .option("--publishers", "also look on NATS whether others publish the venue")
    .option("--stream-log", "also look at what NATS JetStream keeps of the venue, and may for us")
    .option("--json", "one JSON object a line");
  return addConfigOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  tickwire doctor kraken
  tickwire doctor okx:BTC-USDT-PERP --duration 60
  tickwire doctor kraken --stream-log --set bus.nats.servers=nats://nats.internal:4222
  tickwire doctor kraken --publishers --set bus.nats.servers=nats://nats.internal:4222`,
    )
    .action(async (venue: string, options: DoctorOptions) => {
      const config = loadCommandConfig(options, {
        defaults: { bus: { kind: "memory" }, log: { level: "error" } },
        flags: [],
      });
      if (config.bus.kind !== "memory") {
        throw new UsageError("doctor publishes nothing; leave bus.kind");
      }
      await examine(config, venueOf(config, venue), options);
    });
}

/** The venue as the configuration has it, with the symbols of the argument in place of its own. */
function venueOf(config: TickwireConfig, text: string): VenueConfig {
  const { id, instruments } = parseVenue(text);
  const known = parseVenueId(id) as VenueConfig["id"];
  const configured = config.ingest.venues.find((venue) => venue.id === known);
  const venue = configured ?? ingestConfig({ venues: [{ id: known }] }).venues[0];
  if (venue === undefined) throw new UsageError(`no venue ${known} is configured`);
  return instruments === undefined ? venue : { ...venue, instruments };
}

async function examine(
  config: TickwireConfig,
  venue: VenueConfig,
  options: DoctorOptions,
): Promise<void> {
  const service = createServiceProcess("doctor", config);
  const { clock, shutdown, logger, metrics: registry } = service;
  const report = new Report(options.json ?? false);
  if (options.publishers === true) report.add(await examinePublishers(service, config, venue));
  if (options.streamLog === true) {
    for (const check of await examineLog(service, config, venue)) report.add(check);
  }
  const network = openVenueNetwork(venue, clock);
  shutdown.add("network", () => network.close());
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-doctor" });
  shutdown.add("bus", () => bus.drain());
  await examineVenue({
    config: config.ingest,
    venue,
    network,
    bus,
    clock,
    logger,
    registry,
    seconds: options.duration,
    add: (check) => report.add(check),
    onStarted: (ingest) => shutdown.add("ingest", () => ingest.close()),
    isEnding: () => shutdown.started,
  });
  report.end();
  await shutdown.run(report.failed ? ExitCode.Failure : ExitCode.Ok);
}

/** Whether those who publish the venue on NATS are in each other's way, or would be in ours. */
async function examinePublishers(
  service: ServiceProcess,
  config: TickwireConfig,
  { id, shard = "" }: VenueConfig,
): Promise<Check> {
  const server = { ...config.bus.nats, connectTimeoutMs: 0 };
  const nats = { ...config.bus, kind: "nats" as const, nats: server };
  const bus = await openBus({ ...service, config: nats, name: "tickwire-doctor" });
  const heard = (await hearPublishers(bus, service.clock)).filter(({ venue }) => venue === id);
  await bus.drain();
  return checkPublishers(heard, shard);
}

const VERDICT_STYLES = { ok: "good", warn: "warn", fail: "bad" } as const;

/** What JetStream keeps of the venue, beside what the configuration wants of it. */
async function examineLog(
  { clock }: ServiceProcess,
  { bus, streamLog }: TickwireConfig,
  { id }: VenueConfig,
): Promise<readonly Check[]> {
  const { kind, ageMsMax, jetStream } = streamLog;
  const { timeoutMs, storage, replicas, bytesMax } = jetStream;
  const name = "tickwire-doctor";
  const examined = await examineStream({ ...natsOptionsOf(bus.nats), name, timeoutMs }, id);
  const settings = { storage, replicas, bytesMax, ageMsMax };
  return checkStreamLog(examined, { kind, settings }, clock.nowUs());
}

/** Prints each check when it is done, and the total at the end. */
class Report {
  readonly #json: boolean;
  readonly #counts = { ok: 0, warn: 0, fail: 0 };

  constructor(json: boolean) {
    this.#json = json;
  }

  get failed(): boolean {
    return this.#counts.fail > 0;
  }

  add(check: Check): void {
    this.#counts[check.verdict] += 1;
    const { verdict, name, text } = check;
    if (this.#json) {
      printLine(JSON.stringify(check));
      return;
    }
    const rest = `${name.padEnd(22)}${name.length > 21 ? " " : ""}${text}`;
    printParts([{ text: verdict.padEnd(6), style: VERDICT_STYLES[verdict] }, rest]);
  }

  end(): void {
    if (this.#json) return;
    const { ok, warn, fail } = this.#counts;
    printLine(`${ok} ok, ${warn} to look at, ${fail} failed`);
  }
}
