import type { BusBatch } from "@tickwire/proto/codec";
import { lastSequenceOf } from "@tickwire/proto/codec";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Clock } from "#core/clock.ts";
import type { Topic } from "#core/topic.ts";
import type { TurnLine } from "../turns/turns.ts";
import type { EventLog, LoggedBatch } from "./event-log.ts";
import { findPosition } from "./log-search.ts";
import type { EventPosition } from "./log-search.ts";

/**
 * How following a position came to its end.
 * - `stopped`: whoever takes the batches wanted no more.
 * - `ended`: nothing of the epoch is in the log behind what was given.
 * - `hole`: what follows is not in the log, and something behind it is.
 * - `absent`: the log does not go back to the position, or does not answer.
 */
export type FollowOutcome = "stopped" | "ended" | "hole" | "absent";

type FollowParts = {
  readonly log: EventLog;
  readonly clock: Pick<Clock, "monotonicUs">;
  readonly line: TurnLine;
};

/** What is read at once, and checked in some turns. */
const PAGE = { entriesMax: 512, bytesMax: 512 * 1_024 };
/** Whoever comes back does not wait for longer. */
const FOLLOW_MS_MAX = 5_000;
/** Batches of other epochs in a row, behind which nothing more of the own is looked for. */
const FOREIGN_MAX = 2_048;

/**
 * Gives what follows a position of a topic by the log: batches of its epoch that follow each other
 * without a hole, from the position on. `take` says whether it wants more. Rejects only if we have
 * a bug.
 */
export async function followLog(
  { log, clock, line }: FollowParts,
  name: Topic,
  from: EventPosition,
  take: (batch: BusBatch) => boolean,
): Promise<FollowOutcome> {
  const untilUs = clock.monotonicUs() + FOLLOW_MS_MAX * 1_000;
  try {
    let place = await findPosition(log, name, from);
    if (place === undefined) return "absent";
    const walk = new Walk(from, take);
    while (clock.monotonicUs() < untilUs) {
      const page = await log.read(name, { place }, PAGE, line);
      for (const logged of page.batches) {
        const outcome = walk.step(logged);
        if (outcome !== undefined) return outcome;
      }
      if (page.isLast) return "ended";
      place = page.nextPlace;
    }
    return "hole";
  } catch (error) {
    if (error instanceof StreamLogError) return "absent";
    throw error;
  }
}

class Walk {
  readonly #epoch: number;
  readonly #take: (batch: BusBatch) => boolean;
  #sequence: number;
  #foreign = 0;

  constructor(from: EventPosition, take: (batch: BusBatch) => boolean) {
    this.#epoch = from.epoch;
    this.#sequence = from.sequence;
    this.#take = take;
  }

  /** Takes the next batch of the log; says how the walk ended, if it did. */
  step({ batch }: LoggedBatch): FollowOutcome | undefined {
    if (batch.epoch !== this.#epoch) {
      this.#foreign += 1;
      return this.#foreign > FOREIGN_MAX ? "ended" : undefined;
    }
    this.#foreign = 0;
    const last = lastSequenceOf(batch);
    if (last <= this.#sequence) return undefined;
    if (batch.baseSequence !== this.#sequence) return "hole";
    this.#sequence = last;
    return this.#take(batch) ? undefined : "stopped";
  }
}
