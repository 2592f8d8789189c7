/**
 * Calls back at the end of the event loop's turn, after the frames that have arrived were handled.
 */
export function scheduleTurnEnd(callback: () => void): void {
  setImmediate(callback);
}
