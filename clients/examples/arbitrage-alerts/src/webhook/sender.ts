/** What is sent. The receiver knows by the id what it has already. */
export type Message = { readonly id: string; readonly body: string };

export type Outcome =
  | { readonly kind: "delivered" }
  /** Worth another attempt, not before `retryAfterMs`. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
    }
  /** The receiver wants nothing more. */
  | { readonly kind: "gone"; readonly reason: string };

/** Makes one attempt. Never rejects. */
export type Post = (message: Message, nowMs: number) => Promise<Outcome>;

/** A message that could not be delivered, with why. */
export type DeadLetter = Message & { readonly attempts: number; readonly reason: string };

export type SenderLimits = {
  /** Messages that wait or are on their way; further ones become dead letters at once. */
  readonly messagesMax: number;
  readonly inFlightMax: number;
  /** A message becomes a dead letter after so many. */
  readonly attemptsMax: number;
  /** The wait after the first failure; it doubles with each up to `backoffMsMax`. */
  readonly backoffMs: number;
  readonly backoffMsMax: number;
};

type SenderParts = {
  readonly post: Post;
  readonly bury: (letter: DeadLetter) => void;
  readonly log: (line: string) => void;
  readonly nowMs: () => number;
  /** Calls back once after so long; what it returns takes that back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly limits: SenderLimits;
};

type Waiting = { readonly message: Message; attempts: number; dueMs: number; reason: string };

/** Delivers each message at least once, or makes a dead letter of it. */
export class WebhookSender {
  readonly #parts: SenderParts;
  readonly #waiting = new Set<Waiting>();
  readonly #idle: (() => void)[] = [];
  #inFlight = 0;
  /** The receiver asked for quiet until then. */
  #pausedUntilMs = 0;
  #cancelTimer: (() => void) | undefined;
  /** Why nothing is tried any more. */
  #ended: string | undefined;
  #delivered = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Takes a message, and never waits. */
  send(message: Message): void {
    const { limits, nowMs } = this.#parts;
    const entry = { message, attempts: 0, dueMs: nowMs(), reason: "" };
    if (this.#ended !== undefined) return this.#bury(entry, this.#ended);
    if (this.#waiting.size + this.#inFlight >= limits.messagesMax) {
      return this.#bury(entry, `${limits.messagesMax} messages are waiting`);
    }
    this.#waiting.add(entry);
    this.#pump();
  }

  /** Resolves when every message is delivered or a dead letter. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#tellIdle();
    });
  }

  /** Makes dead letters of what waits, and waits for attempts that are under way. Idempotent. */
  close(): Promise<void> {
    this.#end("the sender was ended");
    return this.whenIdle();
  }

  #pump(): void {
    const { limits, nowMs, after } = this.#parts;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = nowMs();
    let nextMs = Infinity;
    for (const entry of this.#waiting) {
      if (this.#inFlight >= limits.inFlightMax) return;
      const dueMs = Math.max(entry.dueMs, this.#pausedUntilMs);
      if (dueMs <= now) this.#attempt(entry);
      else nextMs = Math.min(nextMs, dueMs);
    }
    if (nextMs !== Infinity) this.#cancelTimer = after(nextMs - now, () => this.#pump());
    this.#tellIdle();
  }

  #attempt(entry: Waiting): void {
    this.#waiting.delete(entry);
    this.#inFlight++;
    entry.attempts++;
    // It never rejects, by its contract.
    void this.#parts.post(entry.message, this.#parts.nowMs()).then((outcome) => {
      this.#inFlight--;
      this.#settle(entry, outcome);
      this.#pump();
    });
  }

  #settle(entry: Waiting, outcome: Outcome): void {
    const { limits, log, nowMs } = this.#parts;
    if (outcome.kind === "delivered") {
      this.#delivered++;
      return;
    }
    entry.reason = outcome.reason;
    if (outcome.kind === "gone") this.#end(`the receiver wants nothing more: ${outcome.reason}`);
    if (this.#ended !== undefined) return this.#bury(entry, this.#ended);
    if (entry.attempts >= limits.attemptsMax) return this.#bury(entry, outcome.reason);
    const { retryAfterMs } = outcome.kind === "failed" ? outcome : {};
    if (retryAfterMs !== undefined) {
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs() + retryAfterMs);
    }
    const waitMs = Math.max(this.#backoffMs(entry.attempts), retryAfterMs ?? 0);
    entry.dueMs = nowMs() + waitMs;
    this.#waiting.add(entry);
    log(`webhook ${entry.message.id}: ${outcome.reason}, again in ${Math.round(waitMs)} ms`);
  }

  /** Half of what doubles each time, and a part of the other half, lest many come at once. */
  #backoffMs(attempts: number): number {
    const { backoffMs, backoffMsMax } = this.#parts.limits;
    const fullMs = Math.min(backoffMs * 2 ** (attempts - 1), backoffMsMax);
    return (fullMs / 2) * (1 + this.#parts.random());
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const entry of this.#waiting) this.#bury(entry, reason);
    this.#waiting.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #bury(entry: Waiting, why: string): void {
    const { message, attempts } = entry;
    const reason = [why, entry.reason].filter((part) => part !== "").join("; ");
    this.#parts.log(`webhook ${message.id}: dead letter after ${attempts} attempts: ${reason}`);
    this.#parts.bury({ ...message, attempts, reason });
  }

  #tellIdle(): void {
    if (this.#waiting.size + this.#inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
