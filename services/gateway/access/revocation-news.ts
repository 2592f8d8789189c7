import type { Bus, BusMessage } from "#bus/bus.ts";
import { BusError } from "#bus/bus.ts";
import { REVOCATIONS_ASKED_SUBJECT, REVOCATIONS_SUBJECT } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { AccessMetrics } from "./access-metrics.ts";
import { decodeRevocations, encodeRevocations } from "./revocations.ts";
import type { Revocation, Revocations } from "./revocations.ts";

type RevocationNewsParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: Pick<AccessMetrics, "revocations" | "revocationMessages">;
  readonly revocations: Revocations;
  /** Something was revoked that was not before. */
  readonly onNews: () => void;
};

/** Of one message: a hundred bytes each, so that every bus carries it. */
const REVOCATIONS_PER_MESSAGE = 500;
/** Whoever asks is answered together with all who ask within this time. */
const ANSWER_DELAY_MS = 50;

/**
 * How gateways tell each other what is revoked. Each publishes what it learns, and takes what the
 * others publish. One that starts, or was cut off, asks, and all repeat what they remember: what is
 * said twice is no news. On the bus a revocation can only take away, never give.
 */
export class RevocationNews {
  readonly #parts: RevocationNewsParts;
  readonly #stopListening: (() => void)[] = [];
  #cancelAnswer: CancelTimer | undefined;

  /** Listens and asks. Throws BusError if the bus is closed. */
  constructor(parts: RevocationNewsParts) {
    this.#parts = parts;
    const { bus } = parts;
    const news = bus.subscribe(REVOCATIONS_SUBJECT, (message) => this.#take(message));
    const asked = bus.subscribe(REVOCATIONS_ASKED_SUBJECT, () => this.#answerSoon());
    this.#stopListening.push(
      () => news.unsubscribe(),
      () => asked.unsubscribe(),
      bus.onEvent((event) => {
        if (event.kind === "reconnected") this.#ask();
      }),
    );
    this.#ask();
  }

  /** Remembers what was revoked here, and tells everybody. */
  publish(revocations: readonly Revocation[]): void {
    if (this.#remember(revocations)) this.#parts.onNews();
    this.#send(revocations);
  }

  /** Idempotent. */
  close(): void {
    for (const stop of this.#stopListening.splice(0)) stop();
    this.#cancelAnswer?.();
  }

  #ask(): void {
    this.#publish(REVOCATIONS_ASKED_SUBJECT, new Uint8Array(0));
  }

  #answerSoon(): void {
    this.#cancelAnswer ??= this.#parts.clock.after(ANSWER_DELAY_MS, () => {
      this.#cancelAnswer = undefined;
      const { revocations, clock } = this.#parts;
      this.#send(revocations.list(clock.monotonicUs()));
    });
  }

  #send(revocations: readonly Revocation[]): void {
    for (let start = 0; start < revocations.length; start += REVOCATIONS_PER_MESSAGE) {
      const part = revocations.slice(start, start + REVOCATIONS_PER_MESSAGE);
      this.#publish(REVOCATIONS_SUBJECT, encodeRevocations(part));
    }
  }

  #publish(subject: string, payload: Uint8Array): void {
    try {
      this.#parts.bus.publish(subject, payload);
    } catch (error) {
      // A bus that is gone carries nothing; when it is back, everybody asks.
      if (!(error instanceof BusError)) throw error;
      this.#parts.metrics.revocationMessages.inc({ outcome: "unsent" });
    }
  }

  #take({ payload }: BusMessage): void {
    const { metrics, onNews } = this.#parts;
    const revocations = decodeRevocations(payload);
    metrics.revocationMessages.inc({ outcome: revocations === undefined ? "unreadable" : "read" });
    if (revocations !== undefined && this.#remember(revocations)) onNews();
  }

  /** Whether any of them is new. */
  #remember(list: readonly Revocation[]): boolean {
    const { revocations, clock, metrics } = this.#parts;
    const nowUs = clock.monotonicUs();
    let isNews = false;
    for (const revocation of list) {
      if (revocations.add(revocation, nowUs)) isNews = true;
    }
    metrics.revocations.set(revocations.size);
    return isNews;
  }
}
