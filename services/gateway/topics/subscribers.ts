import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { FanOut } from "./fan-out.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { EpochChange, TopicSubscriber } from "./topic-subscriber.ts";

const LISTS_MIN = 4;

/**
 * Who receives one view of a topic. Subscribers that want every batch as it is are served through
 * the lists of their sessions (FanOut), without being called; the others are called batch by batch.
 * One that is called says when it may be listed; whatever is no plain batch ends that for all.
 *
 * What holds, and what enforces it:
 * 1. The listed ones are the first `#listed` members, and `#lists[i]` is the list of member i.
 * 2. A listed subscriber has had everything up to `#sequence`: `unlisted` says so to it.
 * 3. Member i has the place i, unless it was added to another list since then.
 */
export class Subscribers {
  readonly #members: TopicSubscriber[] = [];
  #lists = new Int32Array(LISTS_MIN);
  #listed = 0;
  /** Of the listed ones. Kept here, because asking one of them goes through many objects. */
  #fanOut: FanOut | undefined;
  /** Of the last batch. */
  #sequence = 0;
  readonly #metrics: Pick<GatewayMetrics, "conflated">;

  constructor(metrics: Pick<GatewayMetrics, "conflated">) {
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Idempotent. */
  add(subscriber: TopicSubscriber): void {
    const { place } = subscriber;
    if (place !== undefined && this.#members[place] === subscriber) return;
    this.#put(this.#members.length, subscriber);
  }

  /** False if it was none. */
  delete(subscriber: TopicSubscriber): boolean {
    this.unlist(subscriber);
    const place = this.#placeOf(subscriber);
    if (place < 0) return false;
    const last = this.#members.pop() as TopicSubscriber;
    if (last !== subscriber) this.#put(place, last);
    return true;
  }

  /** The subscriber is called with the next batch; it hears how far it came. Idempotent. */
  unlist(subscriber: TopicSubscriber): void {
    const place = this.#placeOf(subscriber);
    if (place < 0 || place >= this.#listed) return;
    this.#listed -= 1;
    const other = this.#members[this.#listed] as TopicSubscriber;
    this.#lists[place] = this.#lists[this.#listed] as number;
    this.#put(place, other);
    this.#put(this.#listed, subscriber);
    this.#release(subscriber);
  }

  /** Gives all of them a batch. */
  deliver(batch: SharedBatch): void {
    // What follows is read by another base.
    if (batch.endsChain) this.#unlistAll();
    const listed = this.#listed;
    this.#sequence = batch.lastSequence;
    if (listed > 0) {
      const fanOut = this.#fanOut;
      assert(fanOut !== undefined, "a listed subscriber has a list");
      const { labels, skipped } = batch;
      if (skipped > 0) this.#metrics.conflated.inc(labels, skipped * listed);
      fanOut.deliver(batch, this.#lists, listed);
    }
    // Who is listed meanwhile changes places with one who had the batch.
    for (let index = listed; index < this.#members.length; index += 1) {
      const member = this.#members[index] as TopicSubscriber;
      if (member.deliver(batch) === true && member.seat !== undefined) this.#list(index);
    }
  }

  gap(missingFirst: number, missingLast: number): void {
    this.#unlistAll();
    for (const member of this.#members) member.gap(missingFirst, missingLast);
  }

  epochChanged(change: EpochChange): void {
    this.#unlistAll();
    for (const member of this.#members) member.epochChanged(change);
  }

  /** Nobody is left. */
  clear(): void {
    this.#unlistAll();
    this.#members.length = 0;
  }

  #list(index: number): void {
    const member = this.#members[index] as TopicSubscriber;
    const { fanOut, list } = member.seat as NonNullable<TopicSubscriber["seat"]>;
    const place = this.#listed;
    const isAlone = place === 0 || this.#fanOut === fanOut;
    assert(isAlone, "all lists of a topic are of one gateway");
    this.#fanOut = fanOut;
    this.#put(index, this.#members[place] as TopicSubscriber);
    this.#put(place, member);
    if (place === this.#lists.length) {
      const lists = new Int32Array(place * 2);
      lists.set(this.#lists);
      this.#lists = lists;
    }
    this.#lists[place] = list;
    this.#listed += 1;
    fanOut.retain(list);
  }

  #unlistAll(): void {
    const listed = this.#listed;
    this.#listed = 0;
    for (let index = 0; index < listed; index += 1) {
      this.#release(this.#members[index] as TopicSubscriber);
    }
  }

  #release(member: TopicSubscriber): void {
    member.seat?.fanOut.release(member.seat.list);
    member.unlisted?.(this.#sequence);
  }

  #put(place: number, member: TopicSubscriber): void {
    this.#members[place] = member;
    member.place = place;
  }

  /** -1 if it is no member. One that is added to another list before it leaves is looked for. */
  #placeOf(subscriber: TopicSubscriber): number {
    const { place } = subscriber;
    if (place === undefined) return -1;
    return this.#members[place] === subscriber ? place : this.#members.indexOf(subscriber);
  }
}
