import { complain, remark } from "../output/terminal.ts";
import { Command, Option } from "commander";
import { replayCapture } from "#ingest/capture/replay.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { openCaptureWithProgress, scanCapture } from "../process/capture-input.ts";
import { UsageError } from "../process/errors.ts";
import { awaitFirstSubscription } from "../process/first-subscription.ts";
import { openBus } from "../process/open-bus.ts";
import { parseSpeed } from "../process/parse-option.ts";
import { damageIn, formatSummary } from "../output/replay-summary.ts";
import { createServiceProcess } from "../process/service-process.ts";
import { parseVenueId } from "../process/venue-id.ts";

type ReplayCommandOptions = ConfigOptions & {
  readonly to: "nats" | "memory";
  readonly speed: number | "max";
  readonly venue?: string;
  readonly startOnSubscribe?: boolean;
};

/** `tickwire replay CAPTURE`: plays a capture onto a bus and ends. */
export function createReplayCommand(): Command {
  const command = new Command("replay")
    .summary("play a capture onto a bus")
    .description(
      "Plays a capture onto a bus as if it were live, then prints a summary and ends. " +
        "On the memory bus nobody listens: that measures how fast it goes.",
    )
    .argument("<capture>", "file, gzipped or plain; - reads standard input")
    .addOption(new Option("--to <bus>", "where to").choices(["nats", "memory"]).default("nats"))
    .option("--speed <n>", "times real speed, or max", parseSpeed, 1)
    .option(
      "--venue <id>",
      "decode as this venue instead of the one that the capture names",
      parseVenueId,
    )
    .option("--start-on-subscribe", "start when somebody has subscribed (a file only)");
  return addConfigOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  tickwire replay capture.ndjson.gz --speed 10
  tickwire replay capture.ndjson.gz --to memory --speed max`,
    )
    .action(async (path: string, options: ReplayCommandOptions) => {
      if (path === "-" && options.startOnSubscribe === true) {
        throw new UsageError("--start-on-subscribe takes a file: it is read twice");
      }
      const clock = new SystemClock();
      const source = openCaptureWithProgress(path, { label: `replaying ${path}`, clock });
      const flags = [{ flag: "--to", key: "bus.kind", value: options.to }];
      const config = loadCommandConfig(options, { flags });
      const service = createServiceProcess("replay", config);
      const bus = await openBus({ ...service, config: config.bus, name: "tickwire-replay" });
      service.shutdown.add("bus", () => bus.drain());
      const first =
        options.startOnSubscribe === true ? awaitFirstSubscription(bus, service.clock) : undefined;
      const summary = await replayCapture({
        ...(options.venue === undefined ? {} : { venue: options.venue }),
        ...(first === undefined
          ? {}
          : {
              startAfter: first.arrived,
              contents: await scanCapture(path, {
                clock: service.clock,
                ...(options.venue === undefined ? {} : { venue: options.venue }),
              }),
            }),
        source,
        speed: options.speed,
        clock: service.clock,
        bus,
        logger: service.logger,
      });
      remark(formatSummary(summary));
      const damage = damageIn(summary);
      if (damage !== undefined) complain(damage);
      await service.shutdown.run(damage === undefined ? ExitCode.Ok : ExitCode.Failure);
    });
}
