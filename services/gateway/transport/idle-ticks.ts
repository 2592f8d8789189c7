/** The idle timeout is counted in this many ticks; a ping is sent when half of them are over. */
export const IDLE_TICKS_MAX = 4;

/**
 * Counts how long nothing whole came from a client. Bytes alone do not count: behind a frame that
 * breaks the rules (unmasked, say) everything that a client sends may be taken for the rest of that
 * frame, so that nothing is ever answered.
 */
export class IdleTicks {
  #silentTicks = 0;

  /** A whole frame came. */
  heard(): void {
    this.#silentTicks = 0;
  }

  /** Counts one tick, and says what is due. */
  tick(): "ping" | "cut" | undefined {
    // The tick that began before the last frame came does not count.
    this.#silentTicks += 1;
    if (this.#silentTicks > IDLE_TICKS_MAX) return "cut";
    return this.#silentTicks === IDLE_TICKS_MAX / 2 + 1 ? "ping" : undefined;
  }
}
