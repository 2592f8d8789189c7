import type { CancelTimer, Clock } from "#core/clock.ts";
import {
  BusError,
  type Bus,
  type BusEvent,
  type BusMessage,
  type BusSubscribeOptions,
  type BusSubscription,
  type RequestOptions,
} from "../bus.ts";
import {
  checkPattern,
  checkSize,
  checkSubject,
  closedError,
  requestTimeout,
} from "../bus-errors.ts";
import {
  DeliveryQueue,
  DeliveryTarget,
  PENDING_MESSAGES_MAX,
  type HandlerErrorListener,
  type Schedule,
} from "../delivery-queue.ts";
import { GivenMessage } from "../given-message.ts";
import { RingReader } from "./byte-ring.ts";
import { ownBytes } from "./thread-messages.ts";
import type { PortEnd, ThreadObject, ThreadRequest } from "./thread-messages.ts";

/** What connects a thread with the one that has the bus. */
export type ThreadLink = {
  readonly busKind: Bus["kind"];
  readonly payloadBytesMax: number;
  /** Of the ring that messages come in. */
  readonly memory: SharedArrayBuffer;
  /** For requests; what comes here says only that there is something in the ring. */
  readonly port: PortEnd;
  /** The next object that was sent beside the ring. */
  readonly takeObject: () => unknown;
};

type ThreadBusOptions = {
  readonly link: ThreadLink;
  readonly clock: Clock;
  /** When messages are delivered; default setImmediate. */
  readonly schedule?: Schedule | undefined;
  /** Without it, what a handler throws becomes an uncaught exception. */
  readonly onHandlerError?: HandlerErrorListener | undefined;
};

/** Items that are read from the ring in one turn of the event loop. */
const ITEMS_PER_TURN = 2_048;

/** The other thread says when a request has failed; only if it is held up are we the first. */
const REQUEST_GRACE_MS = 1_000;

type PendingRequest = {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: BusError) => void;
};

/**
 * The bus of a thread that has none of its own. Another thread has the connection and subscribes
 * once for all of its threads (`BusHost`); what comes for this one is in a ring of shared memory.
 * What the ring had no room for is lost and reported as a `slow-consumer` event, as any bus reports
 * what it had to drop.
 */
export class ThreadBus implements Bus {
  readonly kind: Bus["kind"];
  readonly #link: ThreadLink;
  readonly #clock: Clock;
  readonly #ring: RingReader;
  readonly #queue: DeliveryQueue;
  readonly #decoder = new TextDecoder();
  readonly #subscriptions = new Map<number, DeliveryTarget>();
  readonly #requests = new Map<number, PendingRequest>();
  readonly #listeners = new Set<(event: BusEvent) => void>();
  readonly #read = (): void => this.#readRing();
  #payloadBytesMax: number;
  #disconnected: BusEvent | undefined;
  #lastNumber = 0;
  #isReading = false;
  #state: "open" | "draining" | "closed" = "open";
  #draining: Promise<void> | undefined;

  constructor(options: ThreadBusOptions) {
    const { link, clock, onHandlerError } = options;
    this.kind = link.busKind;
    this.#link = link;
    this.#clock = clock;
    this.#payloadBytesMax = link.payloadBytesMax;
    this.#ring = new RingReader(link.memory);
    this.#queue = new DeliveryQueue({
      monotonicUs: () => clock.monotonicUs(),
      schedule: options.schedule ?? ((run) => void setImmediate(run)),
      onHandlerError,
      onSlowConsumer: (pattern, dropped) => this.#tell({ kind: "slow-consumer", pattern, dropped }),
    });
    link.port.on("message", this.#read);
    this.#readRing();
  }

  get payloadBytesMax(): number {
    return this.#payloadBytesMax;
  }

  get isOverloaded(): boolean {
    return this.#queue.isDropping;
  }

  get droppedMessages(): number {
    return this.#queue.dropped;
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#check(subject, payload);
    this.#ask({ kind: "publish", subject, payload: ownBytes(payload) });
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options: BusSubscribeOptions = {},
  ): BusSubscription {
    if (this.#state !== "open") throw closedError();
    checkPattern(pattern);
    const number = this.#nextNumber();
    const { queueGroup, pendingMessagesMax: pendingMax = PENDING_MESSAGES_MAX } = options;
    const remove = (): void => {
      this.#subscriptions.delete(number);
      this.#ask({ kind: "unsubscribe", number });
    };
    const subscription = new DeliveryTarget({ pattern, handler, pendingMax, remove });
    this.#subscriptions.set(number, subscription);
    this.#ask({ kind: "subscribe", number, pattern, queueGroup });
    return subscription;
  }

  async request(
    subject: string,
    payload: Uint8Array,
    { timeoutMs, headers }: RequestOptions,
  ): Promise<Uint8Array> {
    this.#check(subject, payload);
    const number = this.#nextNumber();
    const answered = this.#answerTo(number);
    const asked = { kind: "request", number, subject, timeoutMs, headers } as const;
    this.#ask({ ...asked, payload: ownBytes(payload) });
    const cancel: CancelTimer = this.#clock.after(timeoutMs + REQUEST_GRACE_MS, () => {
      this.#requests.get(number)?.reject(requestTimeout(subject, timeoutMs));
    });
    try {
      const answer = await answered;
      // Messages that came before it may still wait here.
      await this.#queue.whenDelivered();
      return answer;
    } finally {
      cancel();
    }
  }

  async flush(): Promise<void> {
    if (this.#state === "closed") throw closedError();
    const number = this.#nextNumber();
    const answered = this.#answerTo(number);
    this.#ask({ kind: "flush", number });
    await answered;
  }

  onEvent(listener: (event: BusEvent) => void): () => void {
    this.#listeners.add(listener);
    // A thread that starts while the connection is broken has not heard of it.
    queueMicrotask(() => {
      if (this.#disconnected !== undefined && this.#listeners.has(listener)) {
        listener(this.#disconnected);
      }
    });
    return () => void this.#listeners.delete(listener);
  }

  drain(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      this.#draining = this.#drain();
    }
    return this.#draining ?? Promise.resolve();
  }

  close(): Promise<void> {
    this.#shut("closed");
    return Promise.resolve();
  }

  async #drain(): Promise<void> {
    // What is delivered may be answered, and the second time the answers have come as well.
    for (let round = 0; round < 2; round++) {
      await Promise.allSettled([this.flush()]);
      await this.#queue.whenDelivered();
    }
    this.#shut("drained");
  }

  #shut(reason: string): void {
    if (this.#state === "closed") return;
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#state = "closed";
    for (const pending of this.#requests.values()) pending.reject(closedError());
    this.#queue.clear();
    this.#tell({ kind: "closed", reason });
    this.#listeners.clear();
    this.#link.port.close();
  }

  #readRing(): void {
    if (this.#state === "closed" || this.#isReading) return;
    this.#ring.read(this.#visitor, ITEMS_PER_TURN);
    if (this.#ring.isEmpty && this.#ring.sleep()) return;
    this.#isReading = true;
    setImmediate(() => {
      this.#isReading = false;
      this.#readRing();
    });
  }

  readonly #visitor = {
    onItem: (number: number, subject: Uint8Array, payload: Uint8Array): void => {
      const target = this.#subscriptions.get(number);
      if (target === undefined) return;
      const name = subject.length === 0 ? target.pattern : this.#decoder.decode(subject);
      this.#queue.push(target, new GivenMessage(name, payload));
    },
    onMark: (): void => this.#take(this.#link.takeObject() as ThreadObject),
  };

  #take(object: ThreadObject): void {
    switch (object.kind) {
      case "message":
        this.#takeMessage(object);
        return;
      case "answered":
        this.#requests.get(object.number)?.resolve(object.payload);
        return;
      case "failed": {
        const { number, code, message } = object;
        this.#requests.get(number)?.reject(new BusError(code, message));
        return;
      }
      case "event":
        this.#payloadBytesMax = object.payloadBytesMax;
        this.#onEvent(object.event);
        return;
    }
  }

  #takeMessage({ number, subject, payload, headers, reply }: ThreadObject & { kind: "message" }) {
    const target = this.#subscriptions.get(number);
    if (target === undefined) return;
    const answer =
      reply === undefined ? undefined : (given: Uint8Array): void => this.#respond(reply, given);
    this.#queue.push(target, new GivenMessage(subject, payload, undefined, answer, headers));
  }

  #respond(reply: number, payload: Uint8Array): void {
    checkSize(payload, this.#payloadBytesMax);
    this.#ask({ kind: "respond", reply, payload: ownBytes(payload) });
  }

  #onEvent(event: BusEvent): void {
    if (event.kind === "closed") {
      this.#shut(event.reason);
      return;
    }
    if (event.kind === "disconnected") this.#disconnected = event;
    if (event.kind === "reconnected") this.#disconnected = undefined;
    this.#tell(event);
  }

  #answerTo(number: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const settled = (): void => void this.#requests.delete(number);
      this.#requests.set(number, {
        resolve: (payload) => {
          settled();
          resolve(payload);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
    });
  }

  #nextNumber(): number {
    // Numbers that are in use for long are subscriptions, which are few beside 2^31.
    this.#lastNumber = (this.#lastNumber + 1) & 0x7fff_ffff;
    while (this.#subscriptions.has(this.#lastNumber)) this.#lastNumber += 1;
    return this.#lastNumber;
  }

  #ask(request: ThreadRequest): void {
    if (this.#state !== "closed") this.#link.port.postMessage(request);
  }

  #check(subject: string, payload: Uint8Array): void {
    if (this.#state !== "open") throw closedError();
    checkSubject(subject);
    checkSize(payload, this.#payloadBytesMax);
  }

  #tell(event: BusEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
