import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { FanOut } from "./fan-out.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { EpochChange, SubscriberTable, TopicSubscriber } from "./topic-subscriber.ts";

const LISTS_MIN = 4;

/** A subscriber, or the row that stands for it. */
type Member = TopicSubscriber | number;

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
  readonly #members: Member[] = [];
  /** Of those that are rows. */
  #table: SubscriberTable | undefined;
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
    const { place, table } = subscriber;
    if (place !== undefined && this.#members[place] === memberOf(subscriber)) return;
    assert(table === undefined || (this.#table ??= table) === table, "all rows are of one table");
    this.#put(this.#members.length, subscriber);
  }

  /** False if it was none. */
  delete(subscriber: TopicSubscriber): boolean {
    this.unlist(subscriber);
    const place = this.#placeOf(subscriber);
    if (place < 0) return false;
    const last = this.#members.length - 1;
    if (place < last) this.#put(place, this.#at(last));
    this.#members.pop();
    return true;
  }

  /** The subscriber is called with the next batch; it hears how far it came. Idempotent. */
  unlist(subscriber: TopicSubscriber): void {
    const place = this.#placeOf(subscriber);
    if (place < 0 || place >= this.#listed) return;
    this.#listed -= 1;
    const other = this.#at(this.#listed);
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
      const member = this.#at(index);
      if (member.deliver(batch) === true && member.seat !== undefined) this.#list(index);
    }
  }

  gap(missingFirst: number, missingLast: number): void {
    this.#unlistAll();
    for (let index = 0; index < this.size; index += 1)
      this.#at(index).gap(missingFirst, missingLast);
  }

  epochChanged(change: EpochChange): void {
    this.#unlistAll();
    for (let index = 0; index < this.size; index += 1) this.#at(index).epochChanged(change);
  }

  /** Nobody is left. */
  clear(): void {
    this.#unlistAll();
    this.#members.length = 0;
  }

  #list(index: number): void {
    const member = this.#at(index);
    const { fanOut, list } = member.seat as NonNullable<TopicSubscriber["seat"]>;
    const place = this.#listed;
    const isAlone = place === 0 || this.#fanOut === fanOut;
    assert(isAlone, "all lists of a topic are of one gateway");
    this.#fanOut = fanOut;
    this.#put(index, this.#at(place));
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
      this.#release(this.#at(index));
    }
  }

  #release(member: TopicSubscriber): void {
    member.seat?.fanOut.release(member.seat.list);
    member.unlisted?.(this.#sequence);
  }

  #put(place: number, member: TopicSubscriber): void {
    this.#members[place] = memberOf(member);
    member.place = place;
  }

  #at(index: number): TopicSubscriber {
    const member = this.#members[index] as Member;
    return typeof member === "number" ? (this.#table as SubscriberTable).at(member) : member;
  }

  /** -1 if it is no member. One that is added to another list before it leaves is looked for. */
  #placeOf(subscriber: TopicSubscriber): number {
    const { place } = subscriber;
    if (place === undefined) return -1;
    const member = memberOf(subscriber);
    return this.#members[place] === member ? place : this.#members.indexOf(member);
  }
}

function memberOf(subscriber: TopicSubscriber): Member {
  return subscriber.row ?? subscriber;
}
