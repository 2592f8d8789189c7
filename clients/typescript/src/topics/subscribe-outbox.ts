import type { ClientMessage } from "../session/frame.ts";
import type { Position } from "./position-tracker.ts";
import type { RequestPacer } from "../session/request-pacer.ts";
import { chunkRequests, type SubscribeLimits, type WireTopicRequest } from "./subscribe-request.ts";
import type { Entry } from "./subscription-entry.ts";
import type { ViewWish } from "./view-wish.ts";

/** One topic or pattern to ask for, on behalf of an entry. */
export type RequestItem = { readonly entry: Entry; readonly topic: string };

/** A subscribe request of this connection that may still be answered. */
export type OpenRequest = {
  readonly items: readonly RequestItem[];
  readonly answered: Set<number>;
  /** What was unsubscribed after it was asked for: its answer is about nothing that lasts. */
  readonly givenUp: Set<number>;
  /** Every name that was unsubscribed since it was sent. */
  readonly unsubscribed: Set<string>;
};

/** What was sent besides subscribe requests, and may still be refused. */
type Sent =
  | { readonly kind: "unsubscribe"; readonly topics: readonly string[] }
  | { readonly kind: "update"; readonly names: readonly { topic: string; entry: Entry }[] };

/** No more are remembered: a refusal comes with the next answers, or never. */
const SENT_MAX = 100;

/** What the outbox needs from the subscriptions. */
type SubscribeOutboxOptions = {
  readonly pacer: RequestPacer;
  /** Sends one frame; does nothing while there is no connection. */
  readonly send: (messages: readonly ClientMessage[]) => void;
  /** Where a topic resumes, as every event and level or not; asked when its request goes out. */
  readonly resumeOf: (topic: string, isRaw: boolean) => Position | undefined;
  /** Whether its state, which it has up to there, is not of the levels that are asked for. */
  readonly needsWhole: (topic: string) => boolean;
};

/**
 * What the gateway is still to be told about topics. Leaves in as few requests as its limits allow
 * and no faster; what waits is kept by topic, so that a topic that is asked for and given up before
 * anything was sent costs no request.
 * What is given up goes before what is asked for.
 */
export class SubscribeOutbox {
  /** Requests that may still be answered, by id. */
  readonly requests = new Map<number, OpenRequest>();
  /** Everything is sent at this interval at most: 0 but while nobody looks. */
  intervalMsMin = 0;
  readonly #options: SubscribeOutboxOptions;
  readonly #unsubscribes = new Set<string>();
  /** What is to be shown in another way, by the name under which the gateway has it. */
  readonly #updates = new Map<string, Entry>();
  readonly #sent = new Map<number, Sent>();
  #items: readonly RequestItem[] = [];
  #limits: SubscribeLimits | undefined;
  #nextRequestId = 1;

  constructor(options: SubscribeOutboxOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#limits !== undefined;
  }

  handleConnected(limits: SubscribeLimits): void {
    this.#limits = limits;
  }

  /** Forgets everything: the next connection begins anew. */
  handleDisconnected(): void {
    this.#limits = undefined;
    this.requests.clear();
    this.#sent.clear();
    this.#unsubscribes.clear();
    this.#updates.clear();
    this.#items = [];
  }

  /** The options of the entry, which the gateway has under these names, have changed. */
  update(names: readonly string[], entry: Entry): void {
    for (const name of names) this.#updates.set(name, entry);
    this.#flush();
  }

  subscribe(items: readonly RequestItem[]): void {
    this.#items = [...this.#items, ...items];
    this.#flush();
  }

  unsubscribe(topics: readonly string[]): void {
    for (const topic of topics) this.#unsubscribes.add(topic);
    for (const { items, answered, givenUp, unsubscribed } of this.requests.values()) {
      for (const topic of topics) unsubscribed.add(topic);
      for (const [index, { topic }] of items.entries()) {
        if (!answered.has(index) && this.#unsubscribes.has(topic)) givenUp.add(index);
      }
    }
    this.#flush();
  }

  /** Takes back what was not sent for an entry, and says which topics that were. */
  takeBack(entry: Entry): ReadonlySet<string> {
    const unsent = this.#items.filter((item) => item.entry === entry);
    for (const [name, updated] of this.#updates) if (updated === entry) this.#updates.delete(name);
    if (unsent.length > 0) this.#items = this.#items.filter((item) => item.entry !== entry);
    return new Set(unsent.map(({ topic }) => topic));
  }

  /**
   * The gateway did not serve a request: it goes again when so long has passed, with what is still
   * wanted of it.
   */
  refused(requestId: number, retryAfterMs: number): void {
    this.#options.pacer.pause(retryAfterMs);
    const request = this.requests.get(requestId);
    const sent = this.#sent.get(requestId);
    if (request !== undefined) {
      this.requests.delete(requestId);
      const wanted = request.items.filter((_, index) => !request.givenUp.has(index));
      this.#items = [...wanted, ...this.#items];
    } else if (sent?.kind === "unsubscribe") {
      for (const topic of sent.topics) this.#unsubscribes.add(topic);
    } else if (sent?.kind === "update") {
      for (const { topic, entry } of sent.names) {
        if (entry.updateId === requestId) this.#updates.set(topic, entry);
      }
    }
    this.#sent.delete(requestId);
    this.#flush();
  }

  #remember(requestId: number, sent: Sent): void {
    this.#sent.set(requestId, sent);
    this.#sent.delete(requestId - SENT_MAX);
  }

  readonly #flush = (): void => {
    if (this.#limits === undefined) {
      this.#unsubscribes.clear();
      this.#updates.clear();
      this.#items = [];
      return;
    }
    if (!this.#sendUnsubscribes(this.#limits)) return;
    if (!this.#sendSubscribes(this.#limits)) return;
    this.#sendUpdates(this.#limits);
  };

  /** False if something has to wait. */
  #sendUnsubscribes(limits: SubscribeLimits): boolean {
    const topics = [...this.#unsubscribes];
    const requests = topics.map((topic) => ({ topic }));
    for (const { from, to } of chunkRequests(requests, limits)) {
      if (!this.#mayGo()) return false;
      const own = topics.slice(from, to);
      for (const topic of own) this.#unsubscribes.delete(topic);
      const requestId = this.#nextRequestId++;
      this.#remember(requestId, { kind: "unsubscribe", topics: own });
      this.#options.send([{ kind: "unsubscribe", value: { requestId, topics: own } }]);
    }
    return true;
  }

  /** False if something has to wait. */
  #sendSubscribes(limits: SubscribeLimits): boolean {
    const items = this.#items;
    for (const { from, to } of chunkRequests(items, limits)) {
      if (!this.#mayGo()) return false;
      const own = items.slice(from, to);
      this.#items = items.slice(to);
      const requestId = this.#nextRequestId++;
      this.requests.set(requestId, {
        items: own,
        answered: new Set(),
        givenUp: new Set(),
        unsubscribed: new Set(),
      });
      const topics = own.map((item) => this.#wireRequest(item));
      this.#options.send([{ kind: "subscribe", value: { requestId, topics } }]);
    }
    return true;
  }

  #sendUpdates(limits: SubscribeLimits): void {
    const updates = [...this.#updates].map(([topic, entry]) => ({ topic, entry }));
    for (const { from, to } of chunkRequests(updates, limits)) {
      if (!this.#mayGo()) return;
      const own = updates.slice(from, to);
      const requestId = this.#nextRequestId++;
      for (const { topic, entry } of own) {
        this.#updates.delete(topic);
        entry.updateId = requestId;
      }
      this.#remember(requestId, { kind: "update", names: own });
      const topics = own.map(({ topic, entry }) => ({ topic, ...this.#viewOf(entry) }));
      this.#options.send([{ kind: "update", value: { requestId, topics } }]);
    }
  }

  #viewOf({ options: { depth, conflationIntervalMs } }: Entry): ViewWish {
    return { depth, conflationIntervalMs: Math.max(conflationIntervalMs, this.intervalMsMin) };
  }

  #mayGo(): boolean {
    const { pacer } = this.#options;
    if (pacer.take()) return true;
    pacer.whenReady(this.#flush);
    return false;
  }

  #wireRequest({ entry, topic }: RequestItem): WireTopicRequest {
    const wholeOrNot = this.#options.needsWhole(topic)
      ? "SNAPSHOT_MODE_WHOLE"
      : "SNAPSHOT_MODE_UNSPECIFIED";
    const view = this.#viewOf(entry);
    return {
      topic,
      ...view,
      snapshot: entry.options.snapshot ? wholeOrNot : "SNAPSHOT_MODE_NONE",
      resume: this.#options.resumeOf(topic, view.depth + view.conflationIntervalMs === 0),
      checksum: entry.options.checksum,
    };
  }
}
