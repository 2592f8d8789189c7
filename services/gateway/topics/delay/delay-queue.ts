import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { TopicPosition } from "../batch-order.ts";
import type { SharedBatch } from "../shared-batch.ts";
import type { Attached, EpochChange } from "../topic-subscriber.ts";

/** What happened to a topic, in the order in which it did. */
export type Delayed =
  /** The topic begins here, with these batches, after a loss if it had begun before. */
  | {
      readonly kind: "start";
      readonly loss: DelayedLoss | undefined;
      readonly position: TopicPosition;
      readonly batches: readonly SharedBatch[];
    }
  /** The topic goes on with these batches, of which none is a state. */
  | {
      readonly kind: "sequel";
      readonly batches: readonly SharedBatch[];
      readonly next: Attached["next"];
    }
  /** A state at a position that the batches before have passed or reached, for new subscribers. */
  | { readonly kind: "snapshot"; readonly position: TopicPosition; readonly state: SharedBatch }
  | { readonly kind: "batch"; readonly batch: SharedBatch }
  | DelayedLoss;

/** What is not told, and will not be. */
export type DelayedLoss =
  | { readonly kind: "gap"; readonly first: number; readonly last: number }
  | { readonly kind: "epoch"; readonly change: EpochChange };

type Entry = { readonly dueUs: number; readonly bytes: number; readonly what: Delayed };

/** What an entry costs besides its bytes. */
const ENTRY_BYTES = 128;

/** Bytes that wait in the delays of all topics. */
export class DelaySpace {
  readonly #bytesMax: number;
  readonly #metrics: Pick<GatewayMetrics, "delayedBytes">;
  #bytes = 0;

  constructor(bytesMax: number, metrics: Pick<GatewayMetrics, "delayedBytes">) {
    this.#bytesMax = bytesMax;
    this.#metrics = metrics;
  }

  /** Whether so much more may wait; if so, it is counted. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#set(this.#bytes + bytes);
    return true;
  }

  giveBack(bytes: number): void {
    assert(bytes <= this.#bytes, "no more is given back than was taken");
    this.#set(this.#bytes - bytes);
  }

  #set(bytes: number): void {
    this.#bytes = bytes;
    this.#metrics.delayedBytes.set(bytes);
  }
}

/** What happened to a topic and is not to be told yet, in order. */
export class DelayQueue {
  readonly #space: DelaySpace;
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(space: DelaySpace) {
    this.#space = space;
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  /** When the next one is due; undefined if nothing waits. */
  get nextUs(): number | undefined {
    return this.#entries[this.#head]?.dueUs;
  }

  /** False, and nothing is done, if there is no space for it. */
  push(what: Delayed, dueUs: number): boolean {
    const bytes = ENTRY_BYTES + bytesOf(what);
    if (!this.#space.take(bytes)) return false;
    this.#bytes += bytes;
    this.#entries.push({ dueUs, bytes, what });
    return true;
  }

  /** The next one if it is due by now. */
  take(nowUs: number): Delayed | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined || entry.dueUs > nowUs) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    this.#bytes -= entry.bytes;
    this.#space.giveBack(entry.bytes);
    return entry.what;
  }

  /** Gives up what waits. */
  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#space.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}

function bytesOf(what: Delayed): number {
  switch (what.kind) {
    case "start":
      return sizeOf(what.batches);
    case "sequel":
      return sizeOf(what.batches) + sizeOf(what.next?.batches ?? []);
    case "snapshot":
      return what.state.keptBytes;
    case "batch":
      return what.batch.keptBytes;
    case "gap":
    case "epoch":
      return 0;
  }
}

function sizeOf(batches: readonly SharedBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.keptBytes, 0);
}
