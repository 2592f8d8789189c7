import type { BusBatch } from "@tickwire/proto/codec";
import { lastSequenceOf } from "@tickwire/proto/codec";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Clock } from "#core/clock.ts";
import { fencingTokenOf, isLaterToken } from "#core/fencing-token.ts";
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
type FollowOutcome = "stopped" | "ended" | "hole" | "absent";

type Followed = {
  readonly outcome: FollowOutcome;
  /** Epochs that came behind the last batch of the own one. */
  readonly successors: ReadonlySet<number>;
};

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
): Promise<Followed> {
  const walk = new Walk(from, take);
  const { successors } = walk;
  const untilUs = clock.monotonicUs() + FOLLOW_MS_MAX * 1_000;
  try {
    let place = await findPosition(log, name, from);
    if (place === undefined) return { outcome: "absent", successors };
    while (clock.monotonicUs() < untilUs) {
      const page = await log.read(name, { place }, PAGE, line);
      for (const logged of page.batches) {
        const outcome = walk.step(logged);
        if (outcome !== undefined) return { outcome, successors };
      }
      if (page.isLast) return { outcome: "ended", successors };
      place = page.nextPlace;
    }
    return { outcome: "hole", successors };
  } catch (error) {
    if (error instanceof StreamLogError) return { outcome: "absent", successors };
    throw error;
  }
}

/** What was read of the log behind a position. */
class Walk {
  readonly #epoch: number;
  /** Another epoch with a later token was read: what its publisher still writes is too late. */
  #isFenced = false;
  readonly #take: (batch: BusBatch) => boolean;
  /** Epochs of batches behind the last one of the own. */
  readonly successors = new Set<number>();
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
      this.successors.add(batch.epoch);
      const isLater = isLaterToken(fencingTokenOf(batch.epoch), fencingTokenOf(this.#epoch));
      this.#isFenced ||= isLater;
      return this.#foreign > FOREIGN_MAX ? "ended" : undefined;
    }
    if (this.#isFenced) return undefined;
    this.#foreign = 0;
    this.successors.clear();
    const last = lastSequenceOf(batch);
    if (last <= this.#sequence) return undefined;
    if (batch.baseSequence !== this.#sequence) return "hole";
    this.#sequence = last;
    return this.#take(batch) ? undefined : "stopped";
  }
}
