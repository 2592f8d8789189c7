/** What of a clock is needed here. */
type Clock = { after(delayMs: number, callback: () => void): () => void };

type FrameGlobals = {
  requestAnimationFrame?(callback: () => void): number;
  cancelAnimationFrame?(frame: number): void;
};

const host = globalThis as unknown as FrameGlobals;

/** Where nothing is drawn, as in a worker. */
const UNDRAWN_FRAME_MS = 16;
/** A page that is hidden is not drawn, and its timers run once a second. */
const HIDDEN_FRAME_MS = 1_000;

/**
 * Calls back when the page is drawn next, or after a while where nothing is drawn. The result takes
 * it back.
 */
export function nextFrame(clock: Clock, callback: () => void): () => void {
  const isDrawn = host.requestAnimationFrame !== undefined;
  let frame = 0;
  const cancelTimer = clock.after(isDrawn ? HIDDEN_FRAME_MS : UNDRAWN_FRAME_MS, () => {
    if (isDrawn) host.cancelAnimationFrame?.(frame);
    callback();
  });
  if (isDrawn) {
    frame = host.requestAnimationFrame!(() => {
      cancelTimer();
      callback();
    });
  }
  return () => {
    cancelTimer();
    if (isDrawn) host.cancelAnimationFrame?.(frame);
  };
}
