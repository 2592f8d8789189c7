import type { BusBatch } from "@tickwire/proto/codec";
import type { ByteBudget } from "#core/byte-budget.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Topic } from "#core/topic.ts";
import type { EventLog } from "../history/event-log.ts";
import { followLog } from "../history/log-follow.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { RingEntry } from "./batch-ring.ts";
import { EarlierEpochs } from "./earlier-epochs.ts";
import type { EarlierEvents } from "./earlier-epochs.ts";
import { queryHistory } from "./history-query.ts";
import { SharedBatch } from "./shared-batch.ts";
import type { SharedTopic } from "./shared-batch.ts";
import type { SnapshotQueryParts } from "./snapshot-query.ts";
import { TopicHistory } from "./topic-history.ts";

/** What clients who come back may cost. */
export type ResumeParts = {
  /** Undefined if the operator has turned none on. */
  readonly log: EventLog | undefined;
  /** For what topics keep beyond their rings. */
  readonly budget: ByteBudget;
  /** Of one topic, for what is fetched of its past. */
  readonly resumeBytesMax: number;
};

type TopicPastParts = SnapshotQueryParts & {
  readonly name: Topic;
  readonly shared: SharedTopic;
  /** Of the topic now. Older batches are put before it. */
  readonly history: TopicHistory;
  readonly clock: Clock;
  readonly metrics: Pick<GatewayMetrics, "historyEvents" | "logEvents" | "resumeBytes">;
  readonly resume: ResumeParts;
  /** Whether each event of the topic stands for itself, so that all of another epoch is wanted. */
  readonly isOfEvents: boolean;
  readonly publisher: () => { readonly publisherId: string; readonly epoch: number } | undefined;
};

/** Who had what a client missed; of several the one that was asked last. */
type PastLayer = "ring" | "publisher" | "log";

type Take = (batch: BusBatch) => boolean;

/** What was fetched stays for others who come back about now. */
const FETCHED_MS = 10_000;
/** What the gateway had of an epoch when it ended stays for clients who were away just then. */
const ENDED_MS = 60_000;
/** What a batch costs besides its bytes, about. */
const BATCH_BYTES = 256;
const ENDLESS = { ringBytesMax: Infinity, ringBatchesMax: Infinity };

/**
 * What of a topic is not in the gateway's history any more, or never was: fetched from whoever has
 * it when a client comes back for it. First the publisher is asked, which keeps the last batches;
 * then the stream log, which outlives the publisher. The answer is all of what was missed, or
 * nothing.
 */
export class TopicPast {
  readonly #parts: TopicPastParts;
  readonly #earlier: EarlierEpochs;
  /** Taken from the budget for what stands before the history. */
  #roomBytes = 0;
  #cancelRoom: CancelTimer | undefined;
  /** Of what stands before the history: up to where each part of it goes, and who had it. */
  #fetched: { readonly layer: PastLayer; readonly upTo: number }[] = [];

  constructor(parts: TopicPastParts) {
    this.#parts = parts;
    this.#earlier = new EarlierEpochs({ clock: parts.clock, budget: parts.resume.budget });
  }

  /** Whether what follows the position is here, or nobody can be asked for it. */
  isSettled(position: TopicPosition): boolean {
    const { history, resume } = this.#parts;
    if (this.#isOfHere(position)) {
      return position.sequence >= history.sequence || history.reaches(position);
    }
    if (resume.log === undefined) return true;
    return this.#earlier.reaches(position) && (!this.#wantsBeginning || this.#hasBeginning);
  }

  /** Brings what follows the position here, if somebody has it and there is room for it. */
  async fetch(position: TopicPosition): Promise<void> {
    const { history } = this.#parts;
    if (this.#isOfHere(position)) {
      await this.#fetchBefore(position);
      return;
    }
    if (!this.#earlier.reaches(position)) await this.#fetchEarlier(position);
    const { epoch } = history;
    const isHere = this.#earlier.reaches(position);
    if (isHere && this.#wantsBeginning) await this.#fetchBefore({ epoch, sequence: 0 });
  }

  /** All that followed a position of an earlier epoch; undefined if that is not here. */
  eventsAfter(position: TopicPosition): EarlierEvents | undefined {
    return this.#earlier.eventsAfter(position);
  }

  /** Who had what followed a position that is resumed. */
  layerOf(position: TopicPosition): PastLayer {
    const isEarlier = !this.#isOfHere(position);
    const from = isEarlier ? 0 : position.sequence;
    const layers = this.#fetched.filter(({ upTo }) => upTo > from).map(({ layer }) => layer);
    if (isEarlier && this.#earlier.isLogged(position.epoch)) layers.push("log");
    if (layers.includes("log")) return "log";
    return layers.includes("publisher") ? "publisher" : "ring";
  }

  /** The epoch of the history is over: what is here of it is taken out of it and kept. */
  epochEnds(): void {
    this.#endRoom();
    // What ended before that, the epoch that ends now came after.
    this.#earlier.clear();
    const { history } = this.#parts;
    if (history.epoch === 0) return;
    this.#earlier.keep(history.handOver(), { forMs: ENDED_MS, isLogged: false });
    this.#tellBytes();
  }

  /** Keeps nothing any more. Idempotent. */
  close(): void {
    this.#earlier.clear();
    this.#endRoom();
  }

  get #wantsBeginning(): boolean {
    return this.#parts.isOfEvents;
  }

  get #hasBeginning(): boolean {
    const { history } = this.#parts;
    return history.reaches({ epoch: history.epoch, sequence: 0 });
  }

  /** Whether the position is of the epoch that is here, or of the one that it goes on from. */
  #isOfHere({ epoch }: TopicPosition): boolean {
    const { history } = this.#parts;
    return epoch === history.epoch || epoch === history.past?.epoch;
  }

  /** Takes older batches of what goes on into the history. */
  async #fetchBefore(from: TopicPosition): Promise<void> {
    const { history } = this.#parts;
    if (history.reaches(from)) return;
    const { epoch } = history;
    const ways = [
      ["historyEvents", "publisher", this.#askPublisher],
      ["logEvents", "log", this.#askLog],
    ] as const;
    for (const [metric, layer, ask] of ways) {
      const collector = this.#collector(() => history.keptAfter);
      for (const part of this.#partsFrom(from)) await ask(part, collector.take);
      if (history.epoch !== epoch) return;
      const upTo = history.keptAfter;
      if (!this.#putBefore(collector)) continue;
      this.#fetched.push({ layer, upTo });
      this.#count(metric, collector);
      return;
    }
  }

  /** What is asked for: of the epoch that the one here goes on from, and then of that. */
  #partsFrom(from: TopicPosition): readonly TopicPosition[] {
    const { epoch, past, keptAfter } = this.#parts.history;
    if (past === undefined || from.epoch === epoch || past.sequence >= keptAfter) return [from];
    return [from, { epoch, sequence: past.sequence }];
  }

  readonly #askPublisher = async (from: TopicPosition, take: Take): Promise<void> => {
    const { name, history, publisher } = this.#parts;
    const asked = publisher();
    if (asked?.epoch !== history.epoch) return;
    const takeAll = (batches: readonly BusBatch[]): boolean => batches.every(take);
    await queryHistory(this.#parts, name, asked.publisherId, { from, take: takeAll });
  };

  readonly #askLog = async (from: TopicPosition, take: Take): Promise<void> => {
    const { name, clock, line, resume } = this.#parts;
    if (resume.log === undefined) return;
    await followLog({ log: resume.log, clock, line }, name, from, take);
  };

  /** Takes the end of an epoch that is over from the log. */
  async #fetchEarlier(from: TopicPosition): Promise<void> {
    const { name, clock, line, resume, history: current } = this.#parts;
    if (resume.log === undefined) return;
    const collector = this.#collector(() => Infinity);
    const parts = { log: resume.log, clock, line };
    const { outcome, successors } = await followLog(parts, name, from, collector.take);
    // A part would be taken for all of it, and so would an epoch that another one came after.
    if (outcome !== "ended" || collector.isFull) return;
    if ([...successors].some((epoch) => epoch !== current.epoch)) return;
    const history = new TopicHistory(ENDLESS);
    history.reset(from, undefined);
    for (const { batch, baseSequence } of collector.entries) {
      const { events: count } = batch;
      history.append({ epoch: from.epoch, baseSequence, skipped: 0, count }, batch);
    }
    this.#count("logEvents", collector);
    this.#earlier.keep(history, { forMs: FETCHED_MS, isLogged: true });
    this.#tellBytes();
  }

  #collector(until: () => number): Collector {
    const { shared, resume, history } = this.#parts;
    return new Collector(shared, history.roomBytes + resume.resumeBytesMax, until);
  }

  #count(metric: "historyEvents" | "logEvents", { entries }: Collector): void {
    const events = entries.reduce((sum, { batch }) => sum + batch.events, 0);
    this.#parts.metrics[metric].inc(this.#parts.shared.labels, events);
  }

  /** Puts what was fetched before the history, for a while; false if it does not fit there. */
  #putBefore({ entries, bytes }: Collector): boolean {
    const { history, clock } = this.#parts;
    if (entries.length === 0) return false;
    const { budget } = this.#parts.resume;
    const wanted = bytes + entries.length * BATCH_BYTES;
    if (!budget.take(wanted)) return false;
    this.#roomBytes += wanted;
    history.makeRoom({ bytes: this.#roomBytes, batches: Infinity });
    const isPut = history.prepend(entries);
    if (!isPut) {
      this.#roomBytes -= wanted;
      budget.giveBack(wanted);
      history.makeRoom({ bytes: this.#roomBytes, batches: this.#roomBytes > 0 ? Infinity : 0 });
      return false;
    }
    this.#cancelRoom?.();
    this.#cancelRoom = clock.after(FETCHED_MS, () => {
      this.#endRoom();
      this.#parts.history.trim();
    });
    this.#tellBytes();
    return true;
  }

  #endRoom(): void {
    this.#cancelRoom?.();
    this.#cancelRoom = undefined;
    this.#fetched = [];
    this.#parts.history.makeRoom({ bytes: 0, batches: 0 });
    this.#parts.resume.budget.giveBack(this.#roomBytes);
    this.#roomBytes = 0;
    this.#tellBytes();
  }

  #tellBytes(): void {
    this.#parts.metrics.resumeBytes.set(this.#parts.resume.budget.bytes);
  }
}

/** Batches as they are fetched, up to a limit. */
class Collector {
  readonly entries: RingEntry[] = [];
  bytes = 0;
  isFull = false;
  readonly #shared: SharedTopic;
  readonly #bytesMax: number;
  readonly #until: () => number;

  /** Wants nothing that begins at `until` or after it. */
  constructor(shared: SharedTopic, bytesMax: number, until: () => number) {
    this.#shared = shared;
    this.#bytesMax = bytesMax;
    this.#until = until;
  }

  /** Takes the next batch; false if no more is wanted. */
  readonly take = (batch: BusBatch): boolean => {
    if (batch.baseSequence >= this.#until()) return false;
    const news = SharedBatch.news(this.#shared, batch);
    this.bytes += news.keptBytes;
    if (this.bytes > this.#bytesMax) {
      this.isFull = true;
      return false;
    }
    this.entries.push({ batch: news, baseSequence: batch.baseSequence });
    return true;
  };
}
