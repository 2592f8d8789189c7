import type { CancelTimer, Clock } from "#core/clock.ts";

/** The only word: how often the worker has said that its event loop turns. */
const BEATS = 0;

/** How often it is looked whether a worker has said so. */
const LOOK_MS = 250;

/** Memory for the heartbeat of one worker. */
export function createHeartbeat(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** The event loop of the worker turns. */
export function beat(heartbeat: Int32Array): void {
  Atomics.add(heartbeat, BEATS, 1);
}

/**
 * Watches the heartbeat of a worker until it was silent for so long, or until `close`. A silence is
 * measured by looks that came in time: if the whole process stood still, no worker is blamed.
 */
export class HeartbeatWatch {
  readonly #heartbeat: Int32Array;
  readonly #clock: Clock;
  readonly #silentUsMax: number;
  readonly #onSilent: () => void;
  #beats: number;
  #lookedUs: number;
  #silentUs = 0;
  #cancel: CancelTimer;

  constructor(parts: {
    readonly heartbeat: Int32Array;
    readonly clock: Clock;
    readonly silentMsMax: number;
    /** Called once. */
    readonly onSilent: () => void;
  }) {
    this.#heartbeat = parts.heartbeat;
    this.#clock = parts.clock;
    this.#silentUsMax = parts.silentMsMax * 1_000;
    this.#onSilent = parts.onSilent;
    this.#beats = Atomics.load(parts.heartbeat, BEATS);
    this.#lookedUs = parts.clock.monotonicUs();
    this.#cancel = parts.clock.after(LOOK_MS, this.#look);
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  readonly #look = (): void => {
    const nowUs = this.#clock.monotonicUs();
    const beats = Atomics.load(this.#heartbeat, BEATS);
    const passedUs = Math.min(nowUs - this.#lookedUs, 2 * LOOK_MS * 1_000);
    this.#silentUs = beats === this.#beats ? this.#silentUs + passedUs : 0;
    this.#beats = beats;
    this.#lookedUs = nowUs;
    if (this.#silentUs >= this.#silentUsMax) this.#onSilent();
    else this.#cancel = this.#clock.after(LOOK_MS, this.#look);
  };
}
