/** Cancels a timer. Calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/**
 * Time as an argument: the system's in production, driven by hand in tests, and the capture's own
 * in a replay.
 */
export type Clock = {
  /** Microseconds since 1970: what a time is told by. It may be set, to any time, at any moment. */
  nowUs(): number;
  /**
   * Microseconds since any moment, of a clock that is never set: what intervals, deadlines and
   * rates are measured by.
   */
  monotonicUs(): number;
  /** Runs `callback` once, after at least `delayMs` milliseconds. */
  after(delayMs: number, callback: () => void): CancelTimer;
};

/** A clock that knows how busy its thread is. */
export type ThreadClock = Clock & {
  /** For how many microseconds of `monotonicUs` the thread has had nothing to do. */
  idleUs(): number;
};
