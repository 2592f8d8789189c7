import { Command, Option } from "commander";
import { addAdminOption, type AdminOptions } from "../process/admin-process.ts";
import { addConfigOptions, type ConfigOptions } from "../process/config-options.ts";
import { UsageError } from "../process/errors.ts";
import { parseRecordedTime, parseSpeed, type RecordedTime } from "../process/parse-option.ts";
import { parseVenueId } from "../process/venue-id.ts";
import { isRecording } from "../recording/play-recording.ts";
import { replayCaptureFile } from "../recording/replay-capture.ts";
import { replayRecording } from "../recording/replay-recording.ts";

type ReplayCommandOptions = ConfigOptions &
  AdminOptions & {
    readonly bus: "nats" | "memory";
    readonly speed: number | "max";
    readonly venue?: string;
    readonly startOnSubscribe?: boolean;
    readonly from?: RecordedTime;
    readonly to?: RecordedTime;
    readonly seek?: RecordedTime;
    readonly loop?: boolean;
    readonly paused?: boolean;
    readonly stay?: boolean;
    readonly as?: string;
    readonly json?: boolean;
  };

/** Options that captures do not have: they are played from the start, by their venue's code. */
const OF_RECORDINGS = ["from", "to", "seek", "loop", "paused", "stay", "as"] as const;

/** `tickwire replay PATH`: plays a recording, or a capture, onto a bus. */
export function createReplayCommand(): Command {
  const command = new Command("replay")
    .description(
      "Plays a recording onto a bus, where gateways serve it as a venue of its own (replay-binance), " +
        "with its instruments and times; on a terminal keys pause, step, seek and change the speed, " +
        "and so does /admin/replay. A capture of raw frames is played as its venue, with a summary.",
    )
    .argument("<path>", "recording (a folder, or a file of it), or capture; - reads standard input")
    .addOption(new Option("--bus <bus>", "where to").choices(["nats", "memory"]).default("nats"))
    .option("--speed <n>", "times real speed, or max", parseSpeed, 1)
    .option("--start-on-subscribe", "start when somebody has subscribed (not standard input)")
    .option(
      "--from <time>",
      "recording: play from then; or seconds from its start",
      parseRecordedTime,
    )
    .option("--to <time>", "recording: up to before then", parseRecordedTime)
    .option("--seek <time>", "recording: begin then; or seconds from --from", parseRecordedTime)
    .option("--loop", "recording: play --from to --to again and again")
    .option("--paused", "recording: begin paused")
    .option("--stay", "recording: serve on after the end, until Ctrl-C")
    .option("--as <venue>", "recording: the id to publish under (default replay-VENUE)")
    .option("--json", "print at the end what was played as one JSON object")
    .option(
      "--venue <id>",
      "capture: decode as this venue instead of the one it names",
      parseVenueId,
    );
  return addAdminOption(addConfigOptions(command), "replay")
    .addHelpText(
      "after",
      `
Examples:
  tickwire replay ./recording --speed 10 --loop
  tickwire replay ./recording --from 2026-11-26T10:00:00Z --to 2026-11-26T10:05:00Z --paused
  tickwire replay capture.ndjson.gz --bus memory --speed max`,
    )
    .action(async (path: string, options: ReplayCommandOptions) => {
      if (path !== "-" && isRecording(path)) {
        if (options.venue !== undefined) throw new UsageError("--venue is for captures");
        const startOnSubscribe = options.startOnSubscribe === true;
        await replayRecording(path, { ...options, startOnSubscribe });
        return;
      }
      const pointless = OF_RECORDINGS.filter((name) => options[name] !== undefined);
      if (pointless.length > 0) {
        const flags = pointless.map((name) => `--${name}`).join(", ");
        throw new UsageError(`${flags}: only of a recording, and ${path} is none`);
      }
      await replayCaptureFile(path, options);
    });
}
