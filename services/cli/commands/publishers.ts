import { Command } from "commander";
import { ExitCode } from "#runtime/shutdown.ts";
import type { Cell } from "../output/table.ts";
import { complain, printLine, printTable } from "../output/terminal.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { UsageError } from "../process/errors.ts";
import { openBus } from "../process/open-bus.ts";
import { collisionOf, hearPublishers } from "../process/publishers-watch.ts";
import type { HeardPublisher } from "../process/publishers-watch.ts";
import { createServiceProcess } from "../process/service-process.ts";

type PublishersOptions = ConfigOptions & { readonly json?: boolean };

/** `tickwire publishers`: who publishes which venue on NATS, and who stands by. */
export function createPublishersCommand(): Command {
  const command = new Command("publishers")
    .description(
      "Listens on NATS for a second and lists every ingestor: whether it publishes or stands by, for how long, " +
        "and in which term. Exit code 1 if two publish the same.",
    )
    .option("--json", "one JSON object a line");
  return addConfigOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  tickwire publishers
  tickwire publishers --set bus.nats.servers=nats://nats.internal:4222 --json`,
    )
    .action(async (options: PublishersOptions) => {
      const config = loadCommandConfig(options, {
        defaults: { log: { level: "error" } },
        // Who asks wants an answer, and not to wait for a server to come.
        flags: [{ flag: "tickwire publishers", key: "bus.nats.connectTimeoutMs", value: "0" }],
      });
      if (config.bus.kind === "memory") {
        throw new UsageError(
          "on a memory bus the only process is the publisher; set bus.kind to nats",
        );
      }
      const service = createServiceProcess("publishers", config);
      const bus = await openBus({ ...service, config: config.bus, name: "tickwire-publishers" });
      service.shutdown.add("bus", () => bus.drain());
      const heard = await hearPublishers(bus, service.clock);
      const collisions = print(heard, options.json ?? false);
      await service.shutdown.run(collisions > 0 ? ExitCode.Failure : ExitCode.Ok);
    });
}

/** Prints them, and how many venues have publishers that are in each other's way. */
function print(heard: readonly HeardPublisher[], json: boolean): number {
  if (json) for (const publisher of heard) printLine(JSON.stringify(publisher));
  else if (heard.length === 0) printLine("nobody publishes anything here");
  else printTable(HEADER, heard.map(rowOf));
  const venues = new Set(heard.map(({ venue }) => venue));
  let collisions = 0;
  for (const venue of venues) {
    const problem = collisionOf(heard.filter((each) => each.venue === venue));
    if (problem === undefined) continue;
    collisions += 1;
    complain(`${venue}: ${problem}`);
  }
  return collisions;
}

const HEADER = ["VENUE", "SHARD", "ROLE", "SINCE", "TERM", "BY", "PUBLISHER"];

function rowOf(heard: HeardPublisher): Cell[] {
  const { venue, shard, role, roleForMs, term, leased, publisherId } = heard;
  return [
    { text: venue, style: "name" },
    shard === "" ? "-" : shard,
    { text: role, style: role === "leading" ? "good" : "dim" },
    roleForMs === undefined ? "-" : durationText(roleForMs),
    term === 0 ? "-" : String(term),
    role === "leading" ? (leased ? "lease" : "word") : "-",
    publisherId,
  ];
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

function durationText(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    if (milliseconds >= length) return `${Math.floor(milliseconds / length)} ${unit}`;
  }
  return "0 s";
}
