import { lastSequenceOf } from "@tickwire/proto/codec";
import type { Topic } from "#core/topic.ts";
import type { EventLog, LoggedBatch } from "./event-log.ts";

/** A place in a topic's sequence of events. */
export type EventPosition = { readonly epoch: number; readonly sequence: number };

/** Looks into the log before it is given up: each is one short question. */
const PROBES_MAX = 128;
/** Batches of other epochs that one look passes over. */
const FOREIGN_MAX = 4;
/** So near to the place, reading on is cheaper than looking further. */
const NEAR_PLACES = 64;

/**
 * A look into the log: the batch that is the first one at `from` or after it, or of the epoch that
 * is looked for if one of that is near.
 */
type Probe = { readonly from: number; readonly found: LoggedBatch };

/**
 * Where to read the log from so that what follows a position comes without a hole: the place of a
 * batch of its epoch that begins at or before it. Undefined if the log does not go back as far, or
 * does not know the epoch.
 *
 * Sequences rise within an epoch, and epochs have no order: where two looks next to each other show
 * the same epoch, no other one lies between them, but for what two publishers wrote at the same
 * time. What is not found there is as good as lost, and nothing wrong is ever found.
 */
export async function findPosition(
  log: Pick<EventLog, "first" | "last">,
  name: Topic,
  position: EventPosition,
): Promise<number | undefined> {
  const oldest = await probe(log, name, position.epoch, 0);
  const newest = await log.last(name);
  if (oldest === undefined || newest === undefined) return undefined;
  const probes: Probe[] = [oldest];
  if (newest.place > oldest.found.place) probes.push({ from: newest.place, found: newest });
  for (let looks = 2; looks < PROBES_MAX; looks += 1) {
    const index = nextGap(probes, position);
    if (index === undefined) break;
    const [left, right] = [probes[index], probes[index + 1]] as [Probe, Probe];
    const middle = Math.floor((left.found.place + 1 + right.from) / 2);
    const found = await probe(log, name, position.epoch, middle);
    if (found === undefined || found.found.place >= right.found.place) {
      // Nothing of the topic lies between the middle and what is known already.
      probes[index + 1] = { from: middle, found: right.found };
    } else {
      probes.splice(index + 1, 0, found);
    }
  }
  const best = bestOf(probes, position);
  return best?.found.place;
}

async function probe(
  log: Pick<EventLog, "first">,
  name: Topic,
  epoch: number,
  from: number,
): Promise<Probe | undefined> {
  const found = await log.first(name, from);
  if (found === undefined) return undefined;
  let next: LoggedBatch | undefined = found;
  for (let foreign = 0; foreign < FOREIGN_MAX && next !== undefined; foreign += 1) {
    if (next.batch.epoch === epoch) return { from, found: next };
    next = await log.first(name, next.place + 1);
  }
  return { from, found };
}

/** What of the log was looked at that is nearest before the position, and in its epoch. */
function bestOf(probes: readonly Probe[], { epoch, sequence }: EventPosition): Probe | undefined {
  return probes.findLast(({ found: { batch } }) => {
    return batch.epoch === epoch && batch.baseSequence <= sequence;
  });
}

/** The index of the look behind which the next one is worth most; undefined if none is. */
function nextGap(probes: readonly Probe[], position: EventPosition): number | undefined {
  const best = bestOf(probes, position);
  const index = best === undefined ? -1 : probes.indexOf(best);
  if (best !== undefined) {
    const right = probes[index + 1];
    if (lastSequenceOf(best.found.batch) > position.sequence || right === undefined) {
      return undefined;
    }
    return isNear(best, right) ? undefined : index;
  }
  const first = probes.findIndex(({ found }) => found.batch.epoch === position.epoch);
  // The epoch is known, and what comes right before its first known batch may be of it too.
  if (first >= 0) return first > 0 && !isClosed(probes, first - 1) ? first - 1 : undefined;
  return widestChange(probes);
}

/** Of the gaps between different epochs, which another may lie in, the widest. */
function widestChange(probes: readonly Probe[]): number | undefined {
  let widest: number | undefined;
  let width = 0;
  for (let at = 0; at + 1 < probes.length; at += 1) {
    const [left, right] = [probes[at], probes[at + 1]] as [Probe, Probe];
    const between = right.from - left.found.place;
    if (isClosed(probes, at) || left.found.batch.epoch === right.found.batch.epoch) continue;
    if (between > width) [widest, width] = [at, between];
  }
  return widest;
}

/** Nothing is left to look at behind the look with this index. */
function isClosed(probes: readonly Probe[], index: number): boolean {
  const [left, right] = [probes[index], probes[index + 1]];
  return left === undefined || right === undefined || right.from <= left.found.place + 1;
}

function isNear(left: Probe, right: Probe): boolean {
  return right.from - left.found.place <= NEAR_PLACES;
}
