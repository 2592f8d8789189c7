/**
 * The life of one place for a worker, in which one thread runs after another.
 *
 * 1. At most one thread runs in a place: a new one starts when the one before has exited.
 * 2. Connections are handed on to a thread in `serving` and `closing` only, and to none that has
 *    exited: its descriptors are taken back with every step that leaves these states.
 * 3. A thread that hangs does not come back: it is ended, and its exit is what counts.
 * 4. From `closing` and `ended` no thread is started any more.
 *
 * The table names the state that each event leads to. `never` cannot happen: the pool makes it
 * impossible, and an assertion ends the process if it does.
 */
export type WorkerState = "starting" | "serving" | "hung" | "closing" | "resting" | "ended";

export type WorkerEvent =
  /** The thread listens and has told what it has. */
  | "serves"
  /** Its event loop has not turned for too long. */
  | "hangs"
  /** The thread has ended, for whatever reason. */
  | "exited"
  /** The pause after an exit is over. */
  | "rested"
  /** The gateway shuts down. */
  | "close";

export const WORKER_TABLE: Readonly<
  Record<WorkerState, Readonly<Record<WorkerEvent, WorkerState | "never">>>
> = {
  starting: {
    serves: "serving",
    hangs: "never",
    exited: "resting",
    rested: "never",
    close: "closing",
  },
  serving: {
    serves: "never",
    hangs: "hung",
    exited: "resting",
    rested: "never",
    close: "closing",
  },
  hung: {
    serves: "never",
    hangs: "never",
    exited: "resting",
    rested: "never",
    close: "closing",
  },
  // A thread that was still starting serves before it hears that it is to close.
  closing: {
    serves: "closing",
    hangs: "never",
    exited: "ended",
    rested: "never",
    close: "closing",
  },
  resting: { serves: "never", hangs: "never", exited: "never", rested: "starting", close: "ended" },
  ended: { serves: "never", hangs: "never", exited: "never", rested: "never", close: "ended" },
};
