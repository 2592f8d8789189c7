/** Runs work when the current turn of the event loop has handled its I/O. */
export type Scheduler = {
  /** Calls `callback` once, after everything that arrived in this turn was handled. */
  endOfTurn(callback: () => void): void;
};

/** The check phase of Node's event loop, which follows its I/O. */
export const immediateScheduler: Scheduler = {
  endOfTurn(callback) {
    setImmediate(callback);
  },
};
