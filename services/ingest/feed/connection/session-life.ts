/** Where a session stands between its connections. */
export type SessionState =
  /** Not started. */
  | "idle"
  /** Asks for an address, or waits for its turn to dial. */
  | "opening"
  /** Dials, or waits for the venue's greeting. */
  | "connecting"
  /** Connected and subscribed. */
  | "open"
  /** Waits to connect again. */
  | "waiting"
  /** Ended for good. */
  | "closed";

/** What happens to a session. */
export type SessionEvent =
  /** It is to connect: at the start, and when a wait is over. */
  | "connect"
  /** There is an address, and it is its turn to dial. */
  | "turn"
  /** There is no address, or no turn. */
  | "no-turn"
  /** The connection may be used. */
  | "opened"
  /** Another connection took over from the one that is open. */
  | "replaced"
  /** The connection is gone, and there is none to take over. */
  | "lost"
  /** It is to end. */
  | "close";

/** What never happens: if it does, that is a bug of ours. */
export const IMPOSSIBLE = "impossible";

/**
 * The life of a session, every state by every event: the state that follows. Invariants:
 * 1. there is one attempt at a time: only `idle` and `waiting` begin one;
 * 2. every attempt that fails, and every connection that is lost, leads to another wait;
 * 3. nothing leaves `closed`;
 * 4. a connection that opens, is lost or is replaced is the session's own: the session drops what
 *    others report before it comes here, so those cells are impossible.
 */
export const SESSION_LIFE: Readonly<
  Record<SessionState, Readonly<Record<SessionEvent, SessionState | typeof IMPOSSIBLE>>>
> = {
  idle: {
    connect: "opening",
    turn: IMPOSSIBLE,
    "no-turn": IMPOSSIBLE,
    opened: IMPOSSIBLE,
    replaced: IMPOSSIBLE,
    lost: IMPOSSIBLE,
    close: "closed",
  },
  opening: {
    connect: "opening",
    turn: "connecting",
    "no-turn": "waiting",
    opened: IMPOSSIBLE,
    replaced: IMPOSSIBLE,
    lost: IMPOSSIBLE,
    close: "closed",
  },
  connecting: {
    connect: "connecting",
    turn: IMPOSSIBLE,
    "no-turn": IMPOSSIBLE,
    opened: "open",
    replaced: IMPOSSIBLE,
    lost: "waiting",
    close: "closed",
  },
  open: {
    connect: "open",
    turn: IMPOSSIBLE,
    "no-turn": IMPOSSIBLE,
    opened: IMPOSSIBLE,
    replaced: "open",
    lost: "waiting",
    close: "closed",
  },
  waiting: {
    connect: "opening",
    turn: IMPOSSIBLE,
    "no-turn": IMPOSSIBLE,
    opened: IMPOSSIBLE,
    replaced: IMPOSSIBLE,
    lost: IMPOSSIBLE,
    close: "closed",
  },
  closed: {
    connect: "closed",
    turn: "closed",
    "no-turn": "closed",
    opened: "closed",
    replaced: "closed",
    lost: "closed",
    close: "closed",
  },
};
