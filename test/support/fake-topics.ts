import assert from "node:assert/strict";
import { BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import { formatTopic, parseTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import type { Catalog } from "#gateway/catalog/catalog.ts";
import type { Hub, NoRoom } from "#gateway/topics/hub.ts";
import { SharedBatch, SharedTopic } from "#gateway/topics/shared-batch.ts";
import { Subscribers } from "#gateway/topics/subscribers.ts";
import type {
  AttachOptions,
  Attached,
  TopicFailure,
  TopicSubscriber,
} from "#gateway/topics/topic-subscriber.ts";
import type { TopicView } from "#gateway/topics/topic-view.ts";
import { isRaw, RAW_VIEW } from "#gateway/topics/view-options.ts";
import type { ViewOptions } from "#gateway/topics/view-options.ts";

/** A view whose batches a test makes; sequences count from 1. */
export class FakeView {
  readonly id: number;
  readonly name: Topic;
  readonly topic: string;
  readonly options: ViewOptions;
  readonly subscribers = new Subscribers({ conflated: { inc() {} } as never });
  /** How often it was told to send what it holds back. */
  settled = 0;
  /** What each subscriber asked for. */
  readonly asked: AttachOptions[] = [];
  /** Uses that were not given back. */
  holds = 0;
  /** Whether a start can be given; a failure is given to whoever waits. */
  ready: boolean | TopicFailure = true;
  /** What the next subscriber misses. */
  missing: Attached["missing"];
  /** Where the epoch that the next subscriber comes from ended. */
  ended: Attached["ended"];
  readonly #shared: SharedTopic;
  #writer = new BatchWriter({ kind: "statuses", epoch: 1 });
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];

  constructor(id: number, name: Topic, options: ViewOptions = RAW_VIEW) {
    this.id = id;
    this.options = options;
    this.name = name;
    this.topic = formatTopic(name);
    this.#shared = new SharedTopic(id, { venue: name.venue, channel: name.channel });
  }

  get sequence(): number {
    return this.#writer.sequence;
  }

  /** Goes on from another place, as if the events up to there had never come. */
  set sequence(sequence: number) {
    this.#writer = new BatchWriter({ kind: "statuses", epoch: 1, sequence });
  }

  /** Bytes of everything that was delivered. */
  sentBytes = 0;

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
    const batches = this.sequence === 0 ? [] : [this.#state()];
    const continuity = options.resume === undefined ? "new" : "replaced";
    return { continuity, position, batches, missing, ended: this.ended };
  }

  detach(subscriber: TopicSubscriber): void {
    this.subscribers.delete(subscriber);
  }

  unlist(subscriber: TopicSubscriber): void {
    this.subscribers.unlist(subscriber);
  }

  /** One event for all that was left out. */
  catchUp(from: number, to: number): SharedBatch | undefined {
    const writer = new BatchWriter({ kind: "statuses", epoch: 1, sequence: from });
    const [batch] = writer.write(statuses(10), { publishedTimeUs: 1, skipped: to - from - 1 });
    assert(batch !== undefined, "one event is one batch");
    return SharedBatch.sequel(this.#shared, [batch]);
  }

  settle(): void {
    this.settled += 1;
  }

  /** Delivers the next batch of one event and returns its sequence. */
  publish(size = 10): number {
    const batch = this.#news(size);
    this.sentBytes += batch.bytes.byteLength;
    this.subscribers.deliver(batch);
    return this.sequence;
  }

  /** Delivers a state of the topic where it is. */
  announce(): void {
    this.subscribers.deliver(this.#state());
  }

  loses(first: number, last: number): void {
    this.subscribers.gap(first, last);
  }

  /** A batch of one status, whose reason makes it as long as wanted. */
  #news(size: number): SharedBatch {
    const [batch] = this.#writer.write(statuses(size), { publishedTimeUs: 1 });
    assert(batch !== undefined, "one event is one batch");
    return SharedBatch.news(this.#shared, batch);
  }

  #state(): SharedBatch {
    const chain = { kind: "statuses", epoch: 1, sequence: this.sequence } as const;
    const [batch] = BatchWriter.snapshot(chain, statuses(10), { publishedTimeUs: 1 });
    assert(batch !== undefined, "one event is one batch");
    return SharedBatch.state(this.#shared, [batch]);
  }
}

function statuses(size: number): BatchRows {
  const row = { venueTimeUs: undefined, receivedTimeUs: 1, sinceTimeUs: 1, channel: "book" };
  return { kind: "statuses", rows: [{ ...row, state: "live", reason: "x".repeat(size) }] };
}

/** A hub that makes a FakeView for whatever is wanted. */
export class FakeHub {
  readonly views = new Map<string, FakeView>();
  readonly #others = new Map<string, FakeView>();
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
    const all = [...this.views.values(), ...this.#others.values()];
    return all.reduce((sum, view) => sum + view.holds, 0);
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

  /** A view of the topic that is cut or conflated. */
  otherView(topic: string, options: ViewOptions): FakeView {
    const key = `${topic} ${options.depth} ${options.intervalMs}`;
    const raw = this.view(topic);
    const view = this.#others.get(key) ?? new FakeView(raw.id, raw.name, options);
    this.#others.set(key, view);
    return view;
  }

  follows(name: Topic): boolean {
    return this.views.has(formatTopic(name));
  }

  hold(name: Topic, options: ViewOptions = RAW_VIEW): TopicView | undefined {
    const topic = formatTopic(name);
    if (!this.views.has(topic) && this.views.size >= this.topicsMax) return undefined;
    const view = isRaw(options) ? this.view(topic) : this.otherView(topic, options);
    view.holds += 1;
    return view as unknown as TopicView;
  }

  noRoomFor(): NoRoom {
    return "topicsMax";
  }

  release(view: TopicView): void {
    const isOther = !isRaw(view.options);
    const held = isOther ? this.otherView(view.topic, view.options) : this.views.get(view.topic);
    assert(held !== undefined && held.holds > 0, "what is released was held");
    held.holds -= 1;
  }
}

/** An instrument of the venue `fake` with trades, quotes and a book. */
export function listedInstrument(symbol: string): Instrument {
  const channels = ["CHANNEL_TRADES", "CHANNEL_QUOTES", "CHANNEL_BOOK", "CHANNEL_STATUS"];
  return {
    venue: "fake",
    symbol,
    venueSymbol: symbol.toLowerCase(),
    base: symbol.slice(0, 3),
    channels,
  } as never;
}

/** A catalog of one venue, `fake`, as what is under test knows it. */
export function fakeCatalog(instruments: Map<string, Instrument>): Catalog {
  const catalog = {
    ready: true,
    venues: ["fake"],
    instrument: (venue: string, symbol: string) =>
      venue === "fake" ? instruments.get(symbol) : undefined,
    lostSinceUs: () => undefined,
    instrumentsOf: () => instruments.values(),
    find: (venue: string, symbol: string) => {
      if (venue !== "fake") return undefined;
      const byVenueSymbol = ({ venueSymbol }: Instrument): boolean => venueSymbol === symbol;
      return instruments.get(symbol) ?? [...instruments.values()].find(byVenueSymbol);
    },
    standingOf: (venue: string) => (venue === "fake" ? "listed" : "unknown"),
  };
  return catalog as unknown as Catalog;
}
