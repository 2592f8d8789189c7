/**
 * What a client's session is doing. `idle`: it has not been started. `dialling`: it has no
 * connection, and one is being made. `waiting`: it has none, and waits before it dials.
 * `connected`: it has one. `seeking`: it has one, and another is being made that is to take over.
 * `moving`: the other has taken over, and the old one still brings what has not moved. `closed`: it
 * is over for good.
 */
export type SessionPhase =
  | "idle"
  | "dialling"
  | "waiting"
  | "connected"
  | "seeking"
  | "moving"
  | "closed";

/**
 * What happens to a session. `start`: its client wants it. `welcome`: the connection is ready.
 * `lost`: the connection is gone, and may be made anew. `due`: the wait is over. `leave`: the
 * gateway is about to go away, or is not the preferred one. `nextWelcome`: the other connection is
 * ready. `nextLost`: it could not be made, or leads to the gateway that is to be left. `oldDone`:
 * nothing more is wanted of the old one, or it has ended. `end`: the session is over.
 */
export type SessionEvent =
  | "start"
  | "welcome"
  | "lost"
  | "due"
  | "leave"
  | "nextWelcome"
  | "nextLost"
  | "oldDone"
  | "end";

/**
 * What the session does about it. `dial`: makes a connection. `connect`: tells what it carries.
 * `wait`: lets go of every connection, tells, and waits. `schedule`: lets go of the old connection,
 * and waits until it seeks another. `seek`: makes another connection beside the one it has.
 * `promote`: tells that the connection is gone; the other one, which is being made, is in its
 * place. `takeOver`: the other connection is the one from now on. `release`: lets go of the old
 * one. `close`: lets go of everything. `ignore`: nothing.
 */
export type SessionAction =
  | "dial"
  | "connect"
  | "wait"
  | "schedule"
  | "seek"
  | "promote"
  | "takeOver"
  | "release"
  | "close"
  | "ignore";

type Step = readonly [next: SessionPhase, action: SessionAction];
/** Nothing changes where there is no step. */
type Cell = Step | undefined;
/** One cell for each phase, in the order of PHASES; a missing one does not compile. */
type Row = readonly [
  idle: Cell,
  dialling: Cell,
  waiting: Cell,
  connected: Cell,
  seeking: Cell,
  moving: Cell,
  closed: Cell,
];

/** Every phase, in the order of the table's columns. */
export const PHASES = [
  "idle",
  "dialling",
  "waiting",
  "connected",
  "seeking",
  "moving",
  "closed",
] as const satisfies readonly SessionPhase[];

const NO: Cell = undefined;
const CLOSE: Cell = ["closed", "close"];
const DIAL: Cell = ["dialling", "dial"];
const WAIT: Cell = ["waiting", "wait"];
const AFTER: Cell = ["connected", "schedule"];
const CONNECT: Cell = ["connected", "connect"];
const PROMOTE: Cell = ["dialling", "promote"];
const SEEK: Cell = ["seeking", "seek"];
const TAKE: Cell = ["moving", "takeOver"];
const RELEASE: Cell = ["connected", "release"];

/**
 * Every event in every phase. What the table must hold, and `session-machine.test.ts` shows:
 *
 * 1. There is one connection that requests go to, at most one that is being made beside it or left,
 *    and none of both at once: `seek` is reached from `connected` alone, `takeOver` from `seeking`.
 * 2. What the session carries is told of every connection once: a connection is dialled only where
 *    there is none, and whatever leads to the next dial has told that the last one is gone.
 * 3. A connection that could not be made beside another costs nothing: `nextLost` leads to
 *    `connected`.
 * 4. From every phase but `closed`, `end` leads to `closed`, which nothing leaves.
 * 5. No phase waits for ever: `waiting` has a timer, `dialling` and `seeking` a connection that has
 *    one, and `moving` an old connection whose gateway ends it, or a timer.
 */
export const SESSION_TABLE: Readonly<Record<SessionEvent, Row>> = {
  // idle, dialling, waiting, connected, seeking, moving, closed
  start: [DIAL, NO, NO, NO, NO, NO, NO],
  welcome: [NO, CONNECT, NO, NO, NO, NO, NO],
  lost: [NO, WAIT, NO, WAIT, PROMOTE, WAIT, NO],
  due: [NO, NO, DIAL, SEEK, NO, RELEASE, NO],
  // While another is sought already, what comes of that is waited for.
  leave: [NO, NO, NO, AFTER, NO, AFTER, NO],
  nextWelcome: [NO, NO, NO, NO, TAKE, NO, NO],
  nextLost: [NO, NO, NO, NO, AFTER, NO, NO],
  oldDone: [NO, NO, NO, NO, NO, RELEASE, NO],
  end: [CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, CLOSE, NO],
};

/** The phase after an event, and what is to be done. */
export function sessionStep(phase: SessionPhase, event: SessionEvent): Step {
  return SESSION_TABLE[event][PHASES.indexOf(phase)] ?? [phase, "ignore"];
}
