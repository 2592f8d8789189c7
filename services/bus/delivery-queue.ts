import type { BusMessage, BusSubscription } from "./bus.ts";

/**
 * Runs a function soon, after the current one has returned; setImmediate where nothing else is
 * given.
 */
export type Schedule = (run: () => void) => void;

/** Called when a handler throws. Without it the error becomes an uncaught exception. */
export type HandlerErrorListener = (error: unknown, subject: string) => void;

/** A subscription, and its share of a delivery queue. */
export class DeliveryTarget implements BusSubscription {
  readonly pattern: string;
  readonly handler: (message: BusMessage) => void;
  readonly pendingMax: number;
  /** Messages waiting for this subscriber. */
  pending = 0;
  /** Messages dropped since the last report. */
  dropped = 0;
  closed = false;
  readonly #remove: () => void;

  /** `remove` takes it out of its bus. */
  constructor(options: {
    readonly pattern: string;
    readonly handler: (message: BusMessage) => void;
    readonly pendingMax: number;
    readonly remove: () => void;
  }) {
    this.pattern = options.pattern;
    this.handler = options.handler;
    this.pendingMax = options.pendingMax;
    this.#remove = options.remove;
  }

  unsubscribe(): void {
    if (this.closed) return;
    this.closed = true;
    this.#remove();
  }
}

type DeliveryQueueOptions = {
  readonly schedule: Schedule;
  /** Microseconds of a clock that is never set. */
  readonly monotonicUs: () => number;
  /** Default PENDING_BYTES_MAX. */
  readonly pendingBytesMax?: number;
  readonly onHandlerError: HandlerErrorListener | undefined;
  /**
   * An episode of dropping is over, or has lost as many messages as the subscriber may have
   * pending.
   */
  readonly onSlowConsumer: (pattern: string, dropped: number) => void;
};

/** Default of BusSubscribeOptions.pendingMessagesMax. */
export const PENDING_MESSAGES_MAX = 65_536;
/**
 * What may wait for all subscribers: what comes in some seconds, such as those in which a process
 * was stopped. More would be late by more, and the collector goes through all of it.
 */
const PENDING_BYTES_MAX = 64 * 1_048_576;
/**
 * Dropping goes on until so much of it waits: a long hole of a topic costs no more than a short one
 * to be told, which costs much more than a message.
 */
const CALM_PART = 1 / 4;
/** What a message takes besides its payload. */
const MESSAGE_BYTES = 256;
/** A subscriber with fewer pending loses nothing for others that have more, */
const PENDING_KEPT_MIN = 16;
/** as long as those that have few do not have as much together as all may have. */
const KEPT_BYTES_FACTOR = 2;

/**
 * Delivering yields after so long, for what the messages have brought about has to be sent. It is
 * more than what comes in one moment takes, so that this is sent in one piece.
 */
const TURN_US_MAX = 20_000;
/** The clock is read after so many messages. */
const MESSAGES_PER_LOOK = 16;

type Waiter = { readonly position: number; readonly resolve: () => void };

/**
 * Hands messages to subscribers in the order in which they came, never from within the call that
 * brought them, and for a few milliseconds in a turn of the event loop. A subscriber with too many
 * pending loses the newest, counted and reported once an episode, which lasts until half of its
 * pending messages are worked off. Where all together have too many, whoever has more than a few
 * loses everything until most of what waits is delivered, so that its hole is one.
 *
 * Whoever sends is not held back: a server that waits for one subscriber makes publishers wait, and
 * so everybody else.
 */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  /** Target and message alternate, so that no pair is allocated per delivery. */
  #entries: (DeliveryTarget | BusMessage)[] = [];
  #head = 0;
  #scheduled = false;
  #delivering = false;
  #enqueued = 0;
  #delivered = 0;
  #bytes = 0;
  #dropped = 0;
  /** More waited than may, and has not become few yet. */
  #isShedding = false;
  readonly #monotonicUs: () => number;
  readonly #pendingBytesMax: number;
  readonly #slow = new Set<DeliveryTarget>();
  readonly #waiters: Waiter[] = [];
  readonly #run = (): void => this.#deliver();

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
    this.#monotonicUs = options.monotonicUs;
    this.#pendingBytesMax = options.pendingBytesMax ?? PENDING_BYTES_MAX;
  }

  /** The number of waiting messages. */
  get length(): number {
    return (this.#entries.length - this.#head) / 2;
  }

  /** Messages were dropped, and what waited then is not delivered for the most part. */
  get isDropping(): boolean {
    return this.#slow.size > 0;
  }

  /** Messages that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(target: DeliveryTarget, message: BusMessage): void {
    if (target.pending >= target.pendingMax || this.#sheds(target)) {
      this.#drop(target);
      return;
    }
    target.pending++;
    this.#bytes += message.payload.length + MESSAGE_BYTES;
    this.#enqueued++;
    this.#entries.push(target, message);
    if (!this.#scheduled && !this.#delivering) this.#schedule();
  }

  /** Resolves when everything that is waiting now has been handed out. */
  whenDelivered(): Promise<void> {
    if (this.#delivered === this.#enqueued && !this.#delivering) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ position: this.#enqueued, resolve });
    });
  }

  /** Drops all waiting messages and resolves the promises of `whenDelivered`. */
  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#isShedding = false;
    this.#delivered = this.#enqueued;
    this.#release();
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#options.schedule(this.#run);
  }

  #deliver(): void {
    this.#scheduled = false;
    this.#delivering = true;
    const untilUs = this.#monotonicUs() + TURN_US_MAX;
    // What handlers publish waits for the next turn, so that sockets and timers get theirs.
    const count = this.length;
    for (let done = 0; done < count && this.#head < this.#entries.length; done++) {
      if (done % MESSAGES_PER_LOOK === 0 && this.#monotonicUs() > untilUs) break;
      const target = this.#entries[this.#head] as DeliveryTarget;
      const message = this.#entries[this.#head + 1] as BusMessage;
      this.#head += 2;
      this.#delivered++;
      target.pending--;
      this.#bytes -= message.payload.length + MESSAGE_BYTES;
      if (!target.closed) this.#hand(target, message);
    }
    this.#delivering = false;
    if (this.#bytes <= this.#pendingBytesMax * CALM_PART) this.#isShedding = false;
    this.#compact();
    if (this.#slow.size > 0) this.#reportSlow();
    this.#release();
    if (this.#head < this.#entries.length && !this.#scheduled) this.#schedule();
  }

  #hand(target: DeliveryTarget, message: BusMessage): void {
    try {
      target.handler(message);
    } catch (error) {
      const { onHandlerError } = this.#options;
      if (onHandlerError !== undefined) onHandlerError(error, message.subject);
      else {
        // A bug in a handler must be seen, but not by the other subscribers.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #compact(): void {
    if (this.#head >= this.#entries.length) {
      this.#entries.length = 0;
      this.#head = 0;
    } else if (this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  #sheds(target: DeliveryTarget): boolean {
    if (this.#bytes >= this.#pendingBytesMax) this.#isShedding = true;
    if (!this.#isShedding) return false;
    const hasFew = target.dropped === 0 && target.pending < PENDING_KEPT_MIN;
    return !hasFew || this.#bytes >= this.#pendingBytesMax * KEPT_BYTES_FACTOR;
  }

  #drop(target: DeliveryTarget): void {
    this.#dropped++;
    target.dropped++;
    this.#slow.add(target);
  }

  #reportSlow(): void {
    for (const target of this.#slow) {
      const isLow = target.pending * 2 <= target.pendingMax;
      const over = target.closed || (isLow && !this.#isShedding);
      // An episode without end must not be a secret for ever.
      if (!over && target.dropped < target.pendingMax) continue;
      const { dropped } = target;
      target.dropped = 0;
      if (over) this.#slow.delete(target);
      if (dropped > 0) this.#options.onSlowConsumer(target.pattern, dropped);
    }
  }

  #release(): void {
    for (;;) {
      const waiter = this.#waiters[0];
      if (waiter === undefined || waiter.position > this.#delivered) return;
      this.#waiters.shift();
      waiter.resolve();
    }
  }
}
