import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Bus } from "#bus/bus.ts";
import type { ReplaySummary } from "#ingest/capture/replay-options.ts";
import { startReplay } from "#ingest/capture/replay.ts";
import { openCapture, scanCapture } from "./capture-input.ts";
import { describeError, UsageError } from "./errors.ts";
import { awaitFirstSubscription } from "./first-subscription.ts";
import { parseSpeed } from "./parse-option.ts";
import { formatSummary } from "../output/replay-summary.ts";
import type { ServiceProcess } from "./service-process.ts";
import { parseVenueId } from "./venue-options.ts";

/** The options of commands that can play a capture instead of connecting to venues. */
export type ReplayFlags = {
  readonly replay?: string;
  readonly speed?: number | "max";
  readonly venue?: readonly string[];
  readonly startOnSubscribe: boolean;
  readonly exitWhenDone?: boolean;
};

/** How a capture is played onto a bus that others listen to. */
export type ReplayServiceOptions = {
  readonly path: string;
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
    .option("--replay <capture>", "play this file instead of connecting to venues")
    .option("--speed <n>", "of the replay: times real speed, or max (default 1)", parseSpeed)
    .option("--no-start-on-subscribe", "start the replay at once, not with the first subscriber")
    .option("--exit-when-done", "end after the replay instead of serving on");
}

/** What the options ask for; undefined without `--replay`. Throws UsageError. */
export function replayServiceOptions(flags: ReplayFlags): ReplayServiceOptions | undefined {
  const { replay: path, speed = 1, venue = [], startOnSubscribe } = flags;
  if (path === undefined) {
    const pointless = [
      flags.speed === undefined ? [] : ["--speed"],
      startOnSubscribe ? [] : ["--no-start-on-subscribe"],
      flags.exitWhenDone === undefined ? [] : ["--exit-when-done"],
    ].flat();
    if (pointless.length === 0) return undefined;
    throw new UsageError(`${pointless.join(", ")} only works with --replay`);
  }
  if (path === "-") throw new UsageError("--replay takes a file: it is read twice");
  if (venue.length > 1) throw new UsageError("--replay takes one --venue at most");
  const exitWhenDone = flags.exitWhenDone === true;
  const [named] = venue;
  return {
    path,
    speed,
    venue: named === undefined ? undefined : parseVenueId(named),
    startOnSubscribe,
    exitWhenDone,
  };
}

/**
 * Scans a capture, announces what it holds, and plays it: at once, or when somebody has subscribed.
 * Resolves when queries are answered. They still are after the last line, unless the process is to
 * end then.
 */
export async function playCapture(
  bus: Bus,
  service: ServiceProcess,
  options: ReplayServiceOptions,
): Promise<{ readonly venue: string; readonly symbols: readonly string[] }> {
  const { clock, logger, shutdown } = service;
  const { path, speed, startOnSubscribe } = options;
  const venue = options.venue === undefined ? {} : { venue: options.venue };
  const contents = await scanCapture(path, { clock, ...venue });
  const replay = startReplay({
    ...venue,
    source: openCapture(path),
    contents,
    speed,
    clock,
    bus,
    publisherId: `replay-${randomUUID()}`,
    logger,
    ...(startOnSubscribe ? { startAfter: firstSubscriber(bus, service) } : {}),
  });
  shutdown.add("replay", () => replay.close());
  // Both outcomes are handled here, so nothing is left to reject.
  void replay.finished.then(
    (summary) => onFinished(summary, service, options),
    (error: unknown) => onFailed(error, service),
  );
  return {
    venue: contents.venue,
    symbols: contents.streams.map(({ instrument }) => instrument.symbol),
  };
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

function onFinished(
  summary: ReplaySummary,
  { shutdown, logger }: ServiceProcess,
  { exitWhenDone }: ReplayServiceOptions,
): void {
  if (shutdown.started) return;
  process.stderr.write(`replay finished\n${formatSummary(summary)}`);
  logger.info({ frames: summary.frames, events: summary.events }, "replay finished");
  if (exitWhenDone) void shutdown.run();
}

function onFailed(error: unknown, { shutdown }: ServiceProcess): void {
  process.stderr.write(`tickwire: the replay failed: ${describeError(error)}\n`);
  void shutdown.run(1);
}
