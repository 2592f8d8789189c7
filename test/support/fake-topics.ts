import assert from "node:assert/strict";
import type { Instrument } from "@tickwire/proto/service";
import { formatTopic, parseTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import type { Catalog } from "#gateway/catalog/catalog.ts";
import type { Hub } from "#gateway/topics/hub.ts";
import type { SharedBatch } from "#gateway/topics/shared-batch.ts";
import type {
  AttachOptions,
  Attached,
  TopicFailure,
  TopicSubscriber,
} from "#gateway/topics/topic-subscriber.ts";
import type { TopicView } from "#gateway/topics/topic-view.ts";
import { wrapBatch } from "#wire/frame-codec.ts";

/** A view whose batches a test makes; sequences count from 1. */
export class FakeView {
  readonly id: number;
  readonly name: Topic;
  readonly topic: string;
  readonly priceScale = 2;
  readonly sizeScale = 3;
  readonly subscribers = new Set<TopicSubscriber>();
  /** What each subscriber asked for. */
  readonly asked: AttachOptions[] = [];
  /** Uses that were not given back. */
  holds = 0;
  /** Whether a start can be given; a failure is given to whoever waits. */
  ready: boolean | TopicFailure = true;
  /** What the next subscriber misses. */
  missing: Attached["missing"];
  sequence = 0;
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];

  constructor(id: number, name: Topic) {
    this.id = id;
    this.name = name;
    this.topic = formatTopic(name);
  }

  get position() {
    return { epoch: 1, sequence: this.sequence };
  }

  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    if (this.ready === false) this.#waiting.push(callback);
    else callback(this.ready === true ? undefined : this.ready);
  }

  /** Answers whoever waits. */
  getReady(ready: true | TopicFailure = true): void {
    this.ready = ready;
    for (const callback of this.#waiting.splice(0)) callback(ready === true ? undefined : ready);
  }

  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    this.subscribers.add(subscriber);
    this.asked.push(options);
    const { position, missing } = this;
    const batches = this.sequence === 0 ? [] : [this.#batch(this.sequence)];
    return { continuity: options.resume ? "replaced" : "new", position, batches, missing };
  }

  detach(subscriber: TopicSubscriber): void {
    this.subscribers.delete(subscriber);
  }

  /** Delivers the next batch of one event and returns its sequence. */
  publish(size = 10): number {
    this.sequence += 1;
    const batch = this.#batch(this.sequence, size);
    for (const subscriber of this.subscribers) subscriber.deliver(batch);
    return this.sequence;
  }

  loses(first: number, last: number): void {
    for (const subscriber of this.subscribers) subscriber.gap(first, last);
  }

  /** A Batch with its first sequence (field 3) and unknown bytes that make it as long as wanted. */
  #batch(sequence: number, size = 10): SharedBatch {
    const sequences = { firstSequence: sequence, lastSequence: sequence };
    const payload = Uint8Array.of(3 << 3, sequence & 0x7f, ...unknownField(size));
    const labels = { venue: this.name.venue, channel: this.name.channel };
    return {
      bytes: wrapBatch(this.id, payload),
      topicId: this.id,
      events: 1,
      ...sequences,
      labels,
    };
  }
}

/** Field 2047, length-delimited: no decoder knows it. */
function unknownField(size: number): number[] {
  const tag = (2047 << 3) | 2;
  const length = [(size & 0x7f) | 0x80, size >>> 7];
  assert(size < 1 << 14, "fake batches are small");
  return [(tag & 0x7f) | 0x80, tag >>> 7, ...length, ...Array.from({ length: size }, () => 0)];
}

/** A hub that makes a FakeView for whatever is wanted. */
export class FakeHub {
  readonly views = new Map<string, FakeView>();
  /** Followed at most; one more is refused. */
  topicsMax = Number.POSITIVE_INFINITY;
  /** Whether new views can give a start at once. */
  ready: boolean | TopicFailure = true;

  /** As what is under test knows it. */
  get asHub(): Hub {
    return this as unknown as Hub;
  }

  /** Holds that were not given back. */
  get holds(): number {
    return [...this.views.values()].reduce((sum, view) => sum + view.holds, 0);
  }

  view(topic: string): FakeView {
    const known = this.views.get(topic);
    if (known !== undefined) return known;
    const name = parseTopic(topic);
    assert(name !== undefined, `${topic} is a topic`);
    const view = new FakeView(this.views.size + 1, name);
    view.ready = this.ready;
    this.views.set(topic, view);
    return view;
  }

  hold(name: Topic): TopicView | undefined {
    const topic = formatTopic(name);
    if (!this.views.has(topic) && this.views.size >= this.topicsMax) return undefined;
    const view = this.view(topic);
    view.holds += 1;
    return view as unknown as TopicView;
  }

  release(view: TopicView): void {
    const held = this.views.get(view.topic);
    assert(held !== undefined && held.holds > 0, "what is released was held");
    held.holds -= 1;
  }
}

/** An instrument of the venue `fake` with trades, quotes and a book. */
export function listedInstrument(symbol: string): Instrument {
  const channels = ["CHANNEL_TRADES", "CHANNEL_QUOTES", "CHANNEL_BOOK", "CHANNEL_STATUS"];
  return { venue: "fake", symbol, venueSymbol: symbol.toLowerCase(), channels } as never;
}

/** A catalog of one venue, `fake`, as what is under test knows it. */
export function fakeCatalog(instruments: Map<string, Instrument>): Catalog {
  const catalog = {
    ready: true,
    venues: ["fake"],
    instrument: (venue: string, symbol: string) =>
      venue === "fake" ? instruments.get(symbol) : undefined,
    instrumentsOf: () => instruments.values(),
    hasTopic: (venue: string, symbol: string) => venue === "fake" && instruments.has(symbol),
  };
  return catalog as unknown as Catalog;
}
