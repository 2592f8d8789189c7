import type { ClientClock } from "../host/environment.ts";

/** Nobody looks at a page for so long before it is slowed: whoever only looks elsewhere is back. */
const HIDDEN_MS_MIN = 5_000;

/** What slowing a page takes. */
type VisibilityOptions = {
  readonly clock: ClientClock;
  /** Calls back when the page is hidden or shown, until the result is called. */
  readonly watch: (listener: (isVisible: boolean) => void) => () => void;
  /** Slows everything to this interval, or no more at 0. */
  readonly slowTo: (intervalMs: number) => void;
};

/**
 * Slows a client while nobody looks at its page. The result ends it. An interval of 0 does nothing.
 */
export function slowWhileHidden(
  intervalMs: number,
  { clock, watch, slowTo }: VisibilityOptions,
): () => void {
  if (intervalMs === 0) return () => undefined;
  let cancel: () => void = () => undefined;
  const unwatch = watch((isVisible) => {
    cancel();
    if (isVisible) slowTo(0);
    else cancel = clock.after(HIDDEN_MS_MIN, () => slowTo(intervalMs));
  });
  return () => {
    cancel();
    unwatch();
  };
}
