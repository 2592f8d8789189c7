/** The idle timeout is counted in this many ticks; a ping is sent when half of them are over. */
export const IDLE_TICKS_MAX = 4;

/**
 * What is due when a client has been silent for so many ticks: nothing whole came from it. Bytes
 * alone do not count: behind a frame that breaks the rules (unmasked, say) everything that a client
 * sends may be taken for the rest of that frame, so that nothing is ever answered. The tick that
 * began before the last frame came does not count.
 */
export function dueAfter(silentTicks: number): "ping" | "cut" | undefined {
  if (silentTicks > IDLE_TICKS_MAX) return "cut";
  return silentTicks === IDLE_TICKS_MAX / 2 + 1 ? "ping" : undefined;
}
