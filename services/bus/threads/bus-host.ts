import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import { BusError } from "../bus.ts";
import type { Bus, BusEvent, BusMessage, BusSubscription } from "../bus.ts";
import { hasWildcard } from "../subject.ts";
import { RingWriter } from "./byte-ring.ts";
import { ownBytes } from "./thread-messages.ts";
import type { PortEnd, ThreadObject, ThreadRequest } from "./thread-messages.ts";

/** What connects the thread that has the bus with one that has none. */
type HostLink = {
  /** Of the ring that messages go into. */
  readonly memory: SharedArrayBuffer;
  /** Brings the thread's requests, and takes what wakes it. */
  readonly port: PortEnd;
  /** Takes what goes beside the ring. */
  readonly objects: Pick<PortEnd, "postMessage">;
};

/** What a thread did not get, because its ring had no room. */
type Overrun = { messages: number; episodes: number };

type BusHostOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  /** A thread has lost messages, for the first time since it was told of the last. */
  readonly onOverrun: (thread: HostedThread) => void;
};

/** Objects beside a ring that were not taken yet; a thread that is beyond loses messages. */
const OBJECTS_MAX = 65_536;
const OBJECT_BYTES_MAX = 64 * 1024 * 1024;

/** Requests that a thread may answer yet; the oldest are forgotten, and time out. */
const REPLIES_MAX = 65_536;

/** How often a thread that lost messages is looked at, to be told when it has room again. */
const OVERRUN_CHECK_MS = 20;

/** One subscription of a thread. */
type Leg = { readonly thread: HostedThread; readonly number: number };

/** A subscription of the bus that all threads share which want the pattern. */
type SharedSubscription = {
  readonly source: BusSubscription;
  readonly isExact: boolean;
  readonly legs: Leg[];
};

/**
 * Lends a bus to threads that have none: whatever pattern they want is subscribed once, and each
 * message is copied into the rings of those who want it. A thread whose ring is full loses
 * messages, never the others; it is told how many of which pattern as soon as it has room.
 */
export class BusHost {
  readonly #options: BusHostOptions;
  readonly #shared = new Map<string, SharedSubscription>();
  readonly #threads = new Set<HostedThread>();
  readonly #stopListening: () => void;
  readonly #encoder = new TextEncoder();
  #down: BusEvent | undefined;

  constructor(options: BusHostOptions) {
    this.#options = options;
    this.#stopListening = options.bus.onEvent((event) => this.#onEvent(event));
  }

  /** Subscriptions of the bus that threads share. */
  get subscriptions(): number {
    return this.#shared.size;
  }

  /** Serves a thread until it is detached. */
  attach(link: HostLink): HostedThread {
    const { bus, clock, onOverrun } = this.#options;
    const thread: HostedThread = new HostedThread(link, {
      bus,
      clock,
      subscribe: (number, pattern, queueGroup) => {
        return this.#subscribe({ thread, number }, pattern, queueGroup);
      },
      onOverrun: () => onOverrun(thread),
      onDetached: () => void this.#threads.delete(thread),
    });
    this.#threads.add(thread);
    if (this.#down !== undefined) thread.tell(this.#down);
    return thread;
  }

  /** Leaves the bus and all threads. Idempotent. */
  close(): void {
    this.#stopListening();
    for (const thread of this.#threads) thread.detach();
  }

  #onEvent(event: BusEvent): void {
    if (event.kind === "disconnected") this.#down = event;
    if (event.kind === "reconnected") this.#down = undefined;
    // What the bus dropped of a pattern is missing for those who wanted it.
    for (const thread of this.#threads) thread.tell(event);
  }

  /** Returns what ends it. */
  #subscribe(leg: Leg, pattern: string, queueGroup: string | undefined): () => void {
    if (queueGroup !== undefined) return this.#subscribeAlone(leg, pattern, queueGroup);
    const shared = this.#shared.get(pattern) ?? this.#open(pattern);
    shared.legs.push(leg);
    return () => {
      const at = shared.legs.indexOf(leg);
      assert(at >= 0, "a subscription ends once");
      shared.legs.splice(at, 1);
      if (shared.legs.length > 0) return;
      shared.source.unsubscribe();
      this.#shared.delete(pattern);
    };
  }

  #open(pattern: string): SharedSubscription {
    const legs: Leg[] = [];
    const isExact = !hasWildcard(pattern);
    const source = this.#options.bus.subscribe(pattern, (message) => {
      const subject = isExact ? undefined : this.#encoder.encode(message.subject);
      // A handler may not change the list while it is walked: threads are told by messages.
      for (const { thread, number } of legs) thread.deliver(number, pattern, subject, message);
    });
    const shared = { source, isExact, legs };
    this.#shared.set(pattern, shared);
    return shared;
  }

  /** Members of a group share what comes, so each of them is a subscriber of its own. */
  #subscribeAlone({ thread, number }: Leg, pattern: string, queueGroup: string): () => void {
    const source = this.#options.bus.subscribe(
      pattern,
      (message) => {
        thread.deliver(number, pattern, this.#encoder.encode(message.subject), message);
      },
      { queueGroup },
    );
    return () => source.unsubscribe();
  }
}

type HostedThreadParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly subscribe: (number: number, pattern: string, group: string | undefined) => () => void;
  readonly onOverrun: () => void;
  readonly onDetached: () => void;
};

/** A thread that the bus is lent to. */
export class HostedThread {
  readonly #link: HostLink;
  readonly #parts: HostedThreadParts;
  readonly #ring: RingWriter;
  readonly #ends = new Map<number, () => void>();
  /** Messages that wait for the thread's answer. */
  readonly #replies = new Map<number, BusMessage>();
  /** Sizes of the objects that were sent and not taken, the oldest first. */
  readonly #objects: number[] = [];
  #objectBytes = 0;
  #objectsTaken = 0;
  /** Objects for whose marks there is no room. */
  readonly #unmarked: ThreadObject[] = [];
  /** What was lost of which pattern, and not told yet. */
  readonly #lost = new Map<string, number>();
  readonly overruns: Overrun = { messages: 0, episodes: 0 };
  #lastReply = 0;
  #wakes = false;
  #isDetached = false;

  constructor(link: HostLink, parts: HostedThreadParts) {
    this.#link = link;
    this.#parts = parts;
    this.#ring = new RingWriter(link.memory);
    link.port.on("message", (message) => this.#onRequest(message as ThreadRequest));
  }

  /** Part of the ring that is not read yet. */
  get ringUse(): number {
    return this.#ring.usedBytes / this.#ring.capacity;
  }

  /** `subject` is undefined where the pattern says it. */
  deliver(
    number: number,
    pattern: string,
    subject: Uint8Array | undefined,
    message: BusMessage,
  ): void {
    if (this.#isDetached) return;
    const { payload } = message;
    const isLarge = payload.length + (subject?.length ?? 0) + 64 > this.#ring.itemBytesMax;
    const isTaken =
      isLarge || message.expectsAnswer === true
        ? this.#deliverBeside(number, message)
        : this.#unmarked.length === 0 && this.#ring.write(number, subject, payload);
    if (isTaken) this.#wakeSoon();
    else this.#lose(pattern);
  }

  /** Tells the thread of the bus, behind everything that was delivered before. */
  tell(event: BusEvent): void {
    const { payloadBytesMax } = this.#parts.bus;
    this.#send({ kind: "event", event, payloadBytesMax }, 0);
  }

  /** Ends all of its subscriptions; it gets nothing more. Idempotent. */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    this.#replies.clear();
    this.#unmarked.length = 0;
    this.#link.port.close();
    this.#parts.onDetached();
  }

  #deliverBeside(number: number, message: BusMessage): boolean {
    const { subject, headers } = message;
    if (!this.#hasRoomBeside(message.payload.length)) return false;
    const reply = message.expectsAnswer === true ? this.#replyTo(message) : undefined;
    const payload = ownBytes(message.payload);
    this.#send({ kind: "message", number, subject, payload, headers, reply }, payload.length);
    return true;
  }

  #replyTo(message: BusMessage): number {
    this.#lastReply += 1;
    this.#replies.set(this.#lastReply, message);
    const [oldest] = this.#replies.keys();
    if (this.#replies.size > REPLIES_MAX && oldest !== undefined) this.#replies.delete(oldest);
    return this.#lastReply;
  }

  #hasRoomBeside(bytes: number): boolean {
    const taken = this.#ring.marksRead;
    while (this.#objectsTaken !== taken && this.#objects.length > 0) {
      this.#objectBytes -= this.#objects.shift() as number;
      this.#objectsTaken = (this.#objectsTaken + 1) >>> 0;
    }
    const count = this.#objects.length + this.#unmarked.length;
    return count < OBJECTS_MAX && this.#objectBytes + bytes <= OBJECT_BYTES_MAX;
  }

  #send(object: ThreadObject, bytes: number): void {
    if (this.#isDetached) return;
    this.#objectBytes += bytes;
    this.#objects.push(bytes);
    this.#unmarked.push(object);
    this.#markSome();
  }

  /** Gives objects their places, as far as there is room; the rest waits. */
  #markSome(): void {
    while (this.#unmarked.length > 0) {
      if (!this.#ring.mark(() => this.#link.objects.postMessage(this.#unmarked.shift()))) break;
    }
    this.#wakeSoon();
    if (this.#unmarked.length > 0) this.#lookAgain();
  }

  #lose(pattern: string): void {
    this.overruns.messages += 1;
    if (this.#lost.size === 0) {
      this.overruns.episodes += 1;
      this.#parts.onOverrun();
      this.#lookAgain();
    }
    this.#lost.set(pattern, (this.#lost.get(pattern) ?? 0) + 1);
  }

  #looks = false;

  #lookAgain(): void {
    if (this.#looks) return;
    this.#looks = true;
    this.#parts.clock.after(OVERRUN_CHECK_MS, () => {
      this.#looks = false;
      if (this.#isDetached) return;
      this.#markSome();
      this.#tellLost();
    });
  }

  /** Once there is much room again, so that what is fetched instead has some. */
  #tellLost(): void {
    if (this.#lost.size === 0) return;
    if (this.#unmarked.length > 0 || this.ringUse > 0.5) {
      this.#lookAgain();
      return;
    }
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const [pattern, dropped] of lost) this.tell({ kind: "slow-consumer", pattern, dropped });
  }

  /** When whatever brought this has brought everything. */
  #wakeSoon(): void {
    if (this.#wakes) return;
    this.#wakes = true;
    queueMicrotask(this.#wake);
  }

  readonly #wake = (): void => {
    this.#wakes = false;
    if (!this.#isDetached && this.#ring.takeSleeper()) this.#link.port.postMessage(0);
  };

  #onRequest(request: ThreadRequest): void {
    if (this.#isDetached) return;
    switch (request.kind) {
      case "subscribe":
        this.#subscribe(request);
        return;
      case "unsubscribe":
        this.#ends.get(request.number)?.();
        this.#ends.delete(request.number);
        return;
      case "publish":
        // What cannot be published now is lost, as what a broken connection swallows is.
        unlessBusFails(() => this.#parts.bus.publish(request.subject, request.payload));
        return;
      case "request": {
        const { number, subject, payload, timeoutMs, headers } = request;
        this.#answer(number, this.#parts.bus.request(subject, payload, { timeoutMs, headers }));
        return;
      }
      case "respond": {
        const message = this.#replies.get(request.reply);
        this.#replies.delete(request.reply);
        unlessBusFails(() => message?.respond(request.payload));
        return;
      }
      case "flush":
        this.#answer(
          request.number,
          this.#parts.bus.flush().then(() => new Uint8Array()),
        );
        return;
    }
  }

  #subscribe({ number, pattern, queueGroup }: ThreadRequest & { kind: "subscribe" }): void {
    unlessBusFails(() => {
      this.#ends.set(number, this.#parts.subscribe(number, pattern, queueGroup));
    });
  }

  /** The thread itself gives up on an answer for which there is no room. */
  #answer(number: number, answering: Promise<Uint8Array>): void {
    answering.then(
      (answer) => {
        if (!this.#hasRoomBeside(answer.length)) return;
        const payload = ownBytes(answer);
        this.#send({ kind: "answered", number, payload }, payload.length);
      },
      (error: unknown) => {
        assert(error instanceof BusError, `a bus fails with a BusError, not with ${String(error)}`);
        const { code, message } = error;
        this.#send({ kind: "failed", number, code, message }, 0);
      },
    );
  }
}

/** @throws whatever is no failure of the bus, which is our own bug. */
function unlessBusFails(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
  }
}
