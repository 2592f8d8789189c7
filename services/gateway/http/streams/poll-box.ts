import type { CancelTimer, Clock } from "#core/clock.ts";
import { SendResult } from "../../transport/transport.ts";
import type { Scheduler } from "../../turns/scheduler.ts";
import type { SessionWriter, SessionWriterListener } from "./session-writer.ts";

/** What a poll is answered with. */
type PollAnswer = {
  readonly kind: "news" | "repeated" | "nothing";
  /** Answers with news so far, this one included: what the client names with its next poll. */
  readonly number: number;
  readonly body: Uint8Array;
};

type PollBoxParts = {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly listener: SessionWriterListener;
  /** From this size on, an answer is full. */
  readonly answerBytesMax: number;
  /** Without a poll for so long, the client counts as gone. */
  readonly lingerMs: number;
  /** Makes an answer of what was written since the last one. May be of nothing. */
  readonly seal: (chunks: readonly Uint8Array[], number: number) => Uint8Array;
  /** The box is over: nothing can be polled from it any more. Called once. */
  readonly onOver: () => void;
};

type Poll = { readonly answer: (given: PollAnswer) => void; readonly cancelTimer: CancelTimer };

/**
 * Keeps what a session says until the client polls for it. An answer is kept until the client polls
 * with its number, so one that was lost on the way is given again, byte for byte.
 *
 * What holds, and what enforces it:
 * 1. One poll waits at most: a later one answers the one before with nothing.
 * 2. Without a poll that waits, the time that is left runs: `#linger` where a poll ends.
 * 3. What is kept is an answer and what came since, each at most `answerBytesMax` and what was
 *    written last: above it `write` says Buffered, and a producer then stops.
 */
export class PollBox implements SessionWriter {
  readonly #parts: PollBoxParts;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  /** The last answer with news; undefined when the client has it. */
  #kept: Uint8Array | undefined;
  #number = 0;
  #poll: Poll | undefined;
  #isArmed = false;
  #state: "open" | "ending" | "over" = "open";
  #cancelLinger: CancelTimer = () => undefined;
  /** Callbacks for when what was written before is acknowledged. */
  #forChunks: (() => void)[] = [];
  #forKept: (() => void)[] = [];

  constructor(parts: PollBoxParts) {
    this.#parts = parts;
    this.#linger();
  }

  /** The number of the last answer with news. */
  get number(): number {
    return this.#number;
  }

  write(chunk: Uint8Array): SendResult {
    if (this.#state !== "open") return SendResult.Dropped;
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.byteLength;
    this.#arm();
    return this.#isFull ? SendResult.Buffered : SendResult.Sent;
  }

  bufferedBytes(): number {
    return this.#chunkBytes + (this.#kept?.byteLength ?? 0);
  }

  whenDelivered(callback: () => void): void {
    if (this.#chunks.length > 0) this.#forChunks.push(callback);
    else if (this.#kept !== undefined) this.#forKept.push(callback);
    else this.#parts.scheduler.endOfTurn(callback);
  }

  /** What was written can still be polled, once. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#arm();
    if (this.bufferedBytes() === 0 && this.#poll === undefined) this.#finish();
  }

  abort(): void {
    this.#finish();
  }

  /** The client has no use for it any more. Idempotent. */
  giveUp(): void {
    const wasOpen = this.#state === "open";
    this.#finish();
    if (wasOpen) this.#parts.listener.onGone();
  }

  /**
   * Answers when there is news, or after `waitMs` without. `number` is that of the last answer that
   * the client has. Undefined if that is neither the last one nor the one before it.
   */
  poll(number: number, waitMs: number): Promise<PollAnswer> | undefined {
    if (this.#state === "over") return undefined;
    const isRepeat = this.#kept !== undefined && number === this.#number - 1;
    if (number !== this.#number && !isRepeat) return undefined;
    this.#answer("nothing");
    this.#cancelLinger();
    if (isRepeat && this.#kept !== undefined) {
      this.#linger();
      return Promise.resolve({ kind: "repeated", number: this.#number, body: this.#kept });
    }
    this.#acknowledged();
    return new Promise((resolve) => {
      const cancelTimer = this.#parts.clock.after(waitMs, () => this.#answer("nothing"));
      this.#poll = { answer: resolve, cancelTimer };
      if (this.#chunks.length > 0 || this.#state === "ending") this.#arm();
    });
  }

  get #isFull(): boolean {
    return this.#chunkBytes >= this.#parts.answerBytesMax;
  }

  #acknowledged(): void {
    if (this.#kept === undefined) return;
    this.#kept = undefined;
    for (const callback of this.#forKept.splice(0)) callback();
    if (this.#state === "open") this.#parts.listener.onDrain();
  }

  /** What is written in one turn leaves in one answer. */
  #arm(): void {
    if (this.#isArmed || this.#poll === undefined) return;
    this.#isArmed = true;
    this.#parts.scheduler.endOfTurn(() => {
      this.#isArmed = false;
      if (this.#chunks.length > 0 || this.#state === "ending") this.#answer("news");
    });
  }

  #answer(kind: "news" | "nothing"): void {
    const poll = this.#poll;
    if (poll === undefined || this.#state === "over") return;
    this.#poll = undefined;
    poll.cancelTimer();
    const hasNews = kind === "news" && this.#chunks.length > 0;
    if (!hasNews) {
      const { number } = this;
      poll.answer({ kind: "nothing", number, body: this.#parts.seal([], number) });
    } else {
      this.#number += 1;
      const body = this.#parts.seal(this.#chunks, this.#number);
      this.#kept = body;
      this.#chunks = [];
      this.#chunkBytes = 0;
      this.#forKept = this.#forChunks;
      this.#forChunks = [];
      poll.answer({ kind: "news", number: this.#number, body });
      // The next answer may be made while this one is under way.
      if (this.#state === "open") this.#parts.listener.onDrain();
    }
    if (this.#state === "ending" && this.#kept === undefined) this.#finish();
    else this.#linger();
  }

  #linger(): void {
    this.#cancelLinger();
    this.#cancelLinger = this.#parts.clock.after(this.#parts.lingerMs, () => this.giveUp());
  }

  #finish(): void {
    if (this.#state === "over") return;
    const { seal, onOver } = this.#parts;
    const poll = this.#poll;
    this.#poll = undefined;
    this.#state = "over";
    this.#cancelLinger();
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#kept = undefined;
    poll?.cancelTimer();
    poll?.answer({ kind: "nothing", number: this.#number, body: seal([], this.#number) });
    onOver();
  }
}
