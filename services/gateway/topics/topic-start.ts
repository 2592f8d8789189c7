import type { TopicPosition } from "./batch-order.ts";
import type { EarlierEvents } from "./earlier-epochs.ts";
import type { EpochEnds } from "./epoch-ends.ts";
import { latestAsState } from "./start-kind.ts";
import type { StartKind } from "./start-kind.ts";
import { SharedBatch } from "./shared-batch.ts";
import type { SharedTopic } from "./shared-batch.ts";
import type { TopicHistory, TopicStart } from "./topic-history.ts";
import type { AttachOptions, Attached, EpochChange, NextEpoch } from "./topic-subscriber.ts";

type TopicStartsParts = {
  readonly startKind: StartKind;
  /** Books cannot be followed without the state that their changes apply to. */
  readonly snapshotNeeded: boolean;
  readonly history: TopicHistory;
  readonly shared: SharedTopic;
  readonly ends: EpochEnds;
  /** What followed a position of an earlier epoch, if that is here. */
  readonly earlier: (resume: TopicPosition) => EarlierEvents | undefined;
};

/** What is not resumed, and what the client does not get of it. */
export type TopicLoss = Pick<Attached, "continuity" | "missing" | "ended">;

/** What subscriptions of one topic begin with, from what its history has. */
export class TopicStarts {
  readonly #parts: TopicStartsParts;
  #latest: { readonly position: TopicPosition; readonly state: SharedBatch } | undefined;

  constructor(parts: TopicStartsParts) {
    this.#parts = parts;
  }

  /** What a subscriber is sent first. It receives what follows as it comes. */
  startOf(options: AttachOptions): Attached {
    const { history } = this.#parts;
    const { resume } = options;
    const resumed = resume === undefined ? undefined : history.resume(resume);
    if (resumed !== undefined) {
      const { position, batches, next } = resumed;
      const start = { continuity: "resumed", missing: undefined, ended: undefined } as const;
      if (next === undefined) return { ...start, position, batches };
      const { ended } = next;
      const to = { epoch: history.epoch, sequence: ended.sequence };
      const change = { ended, start: to, continues: true };
      return {
        ...start,
        position,
        batches,
        next: { change, batches: next.batches, missing: undefined },
      };
    }
    const earlier = resume && this.earlierEvents(resume);
    if (resume !== undefined && earlier !== undefined) {
      const { batches, ended } = earlier;
      const next = this.#nextEpoch(ended, options);
      const nothingLost = { missing: undefined, ended: undefined };
      return { continuity: "resumed", position: resume, batches, ...nothingLost, next };
    }
    const { continuity, missing, ended } = this.lossUntil(resume, history.position);
    const { position, batches } = this.#start(options.snapshot);
    return { continuity, missing, ended, position, batches };
  }

  /** All that followed a position of an earlier epoch, and the furthest that it is known to be. */
  earlierEvents(resume: TopicPosition): EarlierEvents | undefined {
    const { history, ends, earlier } = this.#parts;
    const events = resume.epoch === history.epoch ? undefined : earlier(resume);
    if (events === undefined) return undefined;
    const heard = ends.endOf(resume.epoch)?.sequence ?? 0;
    const sequence = Math.max(events.ended.sequence, heard);
    return { batches: events.batches, ended: { ...events.ended, sequence } };
  }

  /** How the topic goes on behind the end of an earlier epoch. */
  #nextEpoch(ended: TopicPosition, { snapshot }: AttachOptions): NextEpoch {
    const { startKind, history } = this.#parts;
    if (startKind !== "none") {
      const { position, batches } = this.#start(snapshot);
      return { change: { ended, start: position, continues: false }, batches, missing: undefined };
    }
    const start = { epoch: history.epoch, sequence: 0 };
    const change: EpochChange = { ended, start, continues: false };
    const since = history.resume(start);
    if (since !== undefined) return { change, batches: since.batches, missing: undefined };
    return { change, batches: [], missing: { first: 1, last: history.sequence } };
  }

  /** How a client that comes from `resume` starts anew at `position`, and what it has lost. */
  lossUntil(resume: TopicPosition | undefined, position: TopicPosition): TopicLoss {
    if (resume === undefined) return { continuity: "new", missing: undefined, ended: undefined };
    const ended = this.#parts.ends.endOf(resume.epoch);
    return { continuity: "replaced", missing: this.#missingSince(resume, position), ended };
  }

  #start(snapshot: boolean): Pick<TopicStart, "position" | "batches"> {
    const { startKind, snapshotNeeded, history } = this.#parts;
    const nothing = { position: history.position, batches: [] };
    if (!snapshot && !snapshotNeeded) return nothing;
    switch (startKind) {
      case "none":
        return nothing;
      case "last":
        return this.#startFromLast() ?? history.startFromSnapshot() ?? nothing;
      case "snapshot":
        return history.startFromSnapshot() ?? nothing;
    }
  }

  /** The latest event alone, as a state. Made when it is first wanted. */
  #startFromLast(): Pick<TopicStart, "position" | "batches"> | undefined {
    const { history, shared } = this.#parts;
    const last = history.lastBatch;
    if (last === undefined) return undefined;
    const { position } = history;
    let latest = this.#latest;
    if (
      latest?.position.epoch !== position.epoch ||
      latest.position.sequence !== position.sequence
    ) {
      const state = latestAsState(last, position.epoch);
      if (state === undefined) return undefined;
      latest = { position, state: SharedBatch.state(shared, state) };
      this.#latest = latest;
    }
    return { position, batches: [latest.state] };
  }

  /** Events that are over for good, where no state stands for them. */
  #missingSince(resume: TopicPosition, position: TopicPosition): TopicLoss["missing"] {
    if (this.#parts.startKind !== "none" || resume.epoch !== position.epoch) return undefined;
    if (resume.sequence >= position.sequence) return undefined;
    return { first: resume.sequence + 1, last: position.sequence };
  }
}
