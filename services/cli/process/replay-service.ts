import { complain, remark } from "../output/terminal.ts";
import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Bus } from "#bus/bus.ts";
import { newPublisherIdentity } from "#publish/publisher-identity.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import type { CaptureContents, ReplaySummary } from "#ingest/capture/replay-options.ts";
import { startReplay } from "#ingest/capture/replay.ts";
import { collect } from "./config-options.ts";
import { openCapture, scanCapture } from "./capture-input.ts";
import { describeError, UsageError } from "./errors.ts";
import { awaitFirstSubscription } from "./first-subscription.ts";
import { parseSpeed } from "./parse-option.ts";
import { damageIn, formatSummary } from "../output/replay-summary.ts";
import type { ServiceProcess } from "./service-process.ts";
import { isRecording } from "../recording/play-recording.ts";
import { parseVenueId } from "./venue-id.ts";

/** The options of commands that can play a capture instead of connecting to venues. */
export type ReplayFlags = {
  readonly replay?: readonly string[];
  readonly speed?: number | "max";
  readonly venue?: readonly string[];
  readonly startOnSubscribe: boolean;
  readonly exitWhenDone?: boolean;
};

/** How captures are played, at the same time, onto a bus that others listen to. */
export type ReplayServiceOptions = {
  /** At least one. */
  readonly paths: readonly string[];
  readonly speed: number | "max";
  readonly venue: string | undefined;
  /** Wait for a first subscriber, so that it gets every event. */
  readonly startOnSubscribe: boolean;
  /** End the process after the last line instead of serving on. */
  readonly exitWhenDone: boolean;
};

/** Adds `--replay` and what belongs to it. */
export function addReplayOptions(command: Command): Command {
  return command
    .option(
      "--replay <capture>",
      "play this file instead of connecting to venues; repeatable, one file a venue",
      collect,
    )
    .option("--speed <n>", "of the replay: times real speed, or max (default 1)", parseSpeed)
    .option("--no-start-on-subscribe", "start the replay at once, not with the first subscriber")
    .option("--exit-when-done", "end after the replay instead of serving on");
}

/** What the options ask for; undefined without `--replay`. Throws UsageError. */
export function replayServiceOptions(flags: ReplayFlags): ReplayServiceOptions | undefined {
  const { replay: paths = [], speed = 1, venue = [], startOnSubscribe } = flags;
  if (paths.length === 0) {
    const pointless = [
      flags.speed === undefined ? [] : ["--speed"],
      startOnSubscribe ? [] : ["--no-start-on-subscribe"],
      flags.exitWhenDone === undefined ? [] : ["--exit-when-done"],
    ].flat();
    if (pointless.length === 0) return undefined;
    throw new UsageError(`${pointless.join(", ")} only works with --replay`);
  }
  if (paths.includes("-")) throw new UsageError("--replay takes a file: it is read twice");
  if (paths.length > 1 && paths.some(isRecording)) {
    throw new UsageError("--replay plays one recording alone; its venues are in it");
  }
  if (venue.length > 1) throw new UsageError("--replay takes one --venue at most");
  if (venue.length > 0 && paths.length > 1) {
    throw new UsageError("--venue says what one capture is: it does not go with several --replay");
  }
  const exitWhenDone = flags.exitWhenDone === true;
  const [named] = venue;
  return {
    paths,
    speed,
    venue: named === undefined ? undefined : parseVenueId(named),
    startOnSubscribe,
    exitWhenDone,
  };
}

/**
 * Scans captures, announces what they hold, and plays them side by side: at once, or when somebody
 * has subscribed. Resolves when queries are answered, with what each capture holds. They still are
 * after the last line, unless the process is to end then. Throws UsageError for two captures of one
 * venue: one topic cannot have two streams.
 */
export async function playCaptures(
  bus: Bus,
  service: ServiceProcess,
  options: ReplayServiceOptions,
): Promise<readonly CaptureContents[]> {
  const { clock, logger, shutdown } = service;
  const { paths, speed, startOnSubscribe } = options;
  const venue = options.venue === undefined ? {} : { venue: options.venue };
  const captures: { readonly path: string; readonly contents: CaptureContents }[] = [];
  for (const path of paths) {
    const contents = await scanCapture(path, { clock, ...venue });
    const same = captures.find((other) => other.contents.venue === contents.venue);
    if (same !== undefined) {
      const both = `${same.path} and ${path}`;
      throw new UsageError(`${both} are both of ${contents.venue}; --replay plays one of a venue`);
    }
    captures.push({ path, contents });
  }
  const start = startOnSubscribe ? { startAfter: firstSubscriber(bus, service) } : {};
  const replays = captures.map(({ path, contents }) => {
    const identity = newPublisherIdentity("replay", randomUUID());
    const source = openCapture(path);
    const replay = { ...venue, ...start, source, contents, speed, clock, bus, identity, logger };
    return startReplay(replay);
  });
  shutdown.add("replay", () => {
    for (const replay of replays) replay.close();
  });
  let left = replays.length;
  let exitCode: ExitCode = ExitCode.Ok;
  for (const replay of replays) {
    // Both outcomes are handled here, so nothing is left to reject.
    void replay.finished.then(
      (summary) => {
        left -= 1;
        if (!onFinished(summary, service)) exitCode = ExitCode.Failure;
        if (left === 0 && options.exitWhenDone) void shutdown.run(exitCode);
      },
      (error: unknown) => onFailed(error, service),
    );
  }
  return captures.map(({ contents }) => contents);
}

async function firstSubscriber(
  bus: Bus,
  { clock, logger, shutdown }: ServiceProcess,
): Promise<void> {
  const first = awaitFirstSubscription(bus, clock);
  shutdown.add("wait for a subscriber", () => first.cancel());
  await first.arrived;
  logger.info({}, "the first subscriber is there; the replay starts");
}

/** False if the capture was not whole. */
function onFinished(summary: ReplaySummary, { shutdown, logger }: ServiceProcess): boolean {
  const damage = damageIn(summary);
  if (shutdown.started) return damage === undefined;
  remark(`replay finished\n${formatSummary(summary)}`);
  logger.info({ frames: summary.frames, events: summary.events }, "replay finished");
  if (damage !== undefined) complain(damage);
  return damage === undefined;
}

function onFailed(error: unknown, { shutdown }: ServiceProcess): void {
  complain(`the replay failed: ${describeError(error)}`);
  void shutdown.run(1);
}
