import { randomUUID } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import type { Bus } from "#bus/bus.ts";
import { isVenueId } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { newPublisherIdentity } from "#publish/publisher-identity.ts";
import type { Recording } from "#recording/reading/recording.ts";
import { RecordingReplay } from "#recording/replay/recording-replay.ts";
import { UsageError } from "../process/errors.ts";
import { awaitFirstSubscription } from "../process/first-subscription.ts";
import type { RecordedTime } from "../process/parse-option.ts";
import type { ServiceProcess } from "../process/service-process.ts";
import { openRecording } from "./recording-files.ts";

/** How a recording is played. */
export type PlayOptions = {
  readonly from?: RecordedTime | undefined;
  readonly to?: RecordedTime | undefined;
  readonly seek?: RecordedTime | undefined;
  readonly speed: number | "max";
  readonly loop?: boolean | undefined;
  readonly paused?: boolean | undefined;
  readonly as?: string | undefined;
  readonly startOnSubscribe: boolean;
};

/** What stands before the venues of a recording, so that nobody takes them for live. */
const PREFIX = "replay-";

/** Whether the path is that of a recording, a file of it or its folder, and not of a capture. */
export function isRecording(path: string): boolean {
  try {
    const files = statSync(path).isDirectory() ? readdirSync(path) : [path];
    return files.some((file) => file.endsWith(".twr"));
  } catch {
    return false;
  }
}

/** A recording that is ready to be played on a bus, and the recording itself. */
export type PlayedRecording = { readonly replay: RecordingReplay; readonly recording: Recording };

/**
 * Announces the venues of a recording on a bus. Nothing is played before `replay.run`; the shutdown
 * ends it. Throws CommandError and UsageError.
 */
export async function prepareRecording(
  path: string,
  bus: Bus,
  service: ServiceProcess,
  options: PlayOptions,
): Promise<PlayedRecording> {
  const { clock, logger, shutdown } = service;
  const recording = await openRecording(path);
  const startUs = recording.firstTimeUs;
  // The end of a range is behind its last entry.
  const toTimeUs = options.to?.(startUs) ?? recording.lastTimeUs + 1;
  const fromTimeUs = options.from?.(startUs) ?? startUs;
  if (fromTimeUs >= toTimeUs) throw new UsageError("--from is not before --to, or the end");
  const startTimeUs = options.seek?.(fromTimeUs);
  const first = options.startOnSubscribe ? awaitFirstSubscription(bus, clock) : undefined;
  const replay = await RecordingReplay.open({
    recording,
    bus,
    clock,
    logger,
    schedule: (flush) => setImmediate(flush),
    createIdentity: () => newPublisherIdentity("replay", randomUUID()),
    nameOf: namesOf(options.as),
    fromTimeUs,
    toTimeUs,
    startTimeUs: startTimeUs && Math.min(Math.max(startTimeUs, fromTimeUs), toTimeUs),
    speed: options.speed,
    loop: options.loop === true,
    paused: options.paused === true,
    startAfter: first?.arrived,
  });
  shutdown.add("replay", () => {
    first?.cancel();
    replay.close();
  });
  return { replay, recording };
}

/** `--as` names the first venue; others get its name in front of theirs. */
function namesOf(as: string | undefined): (venue: string) => string {
  if (as === undefined) return (venue) => `${PREFIX}${venue}`;
  if (!isVenueId(as)) throw new UsageError(`--as takes the id of a venue, not ${quotedText(as)}`);
  let first: string | undefined;
  return (venue) => {
    first ??= venue;
    return venue === first ? as : `${as}-${venue}`;
  };
}
