/**
 * What is known of who a session's client is.
 * - `unasked`: its Hello has not come.
 * - `checking`: what it showed is being checked, and it is not welcome yet.
 * - `granted`: it is who it says it is.
 * - `renewing`: the same, and a newer proof of it is being checked.
 * - `over`: the session closes, or is closed.
 */
export type AccessState = "unasked" | "checking" | "granted" | "renewing" | "over";

/** What can happen to it. */
export type AccessEvent =
  /** A Hello of the right version came. */
  | "hello"
  /** The client shows a newer proof. */
  | "renew"
  /** What is being checked is right, or it is not. */
  | "proved"
  | "refuted"
  /** The time of what was proved is over, and so is the time that was given besides. */
  | "expired"
  /** What was proved is not valid any more. */
  | "revoked"
  /** The session closes. */
  | "ended";

/**
 * What follows. `check`: what the client shows is checked. `welcome`: the client is let in.
 * `replace`: it goes on as what it has proved now. `tell`: it is told that its proof is none, and
 * goes on as before. `busy`: it is told to wait for the proof that is being checked. `close`: the
 * session closes for it. `ignore`: nothing.
 */
export type AccessAction = "check" | "welcome" | "replace" | "tell" | "busy" | "close" | "ignore";

type Cell = readonly [next: AccessState, action: AccessAction];
const NEVER = "never";

const OVER: Cell = ["over", "ignore"];
const END: Cell = ["over", "close"];

/**
 * Every event in every state. What holds, and `access-table.test.ts` shows:
 * 1. A client is welcome once, and not before what it showed was found right: `welcome` stands in
 *    one cell.
 * 2. At most one proof is being checked: `check` leads to a state in which a further one is NEVER
 *    (it is held back) or `busy`.
 * 3. Whatever fails while the client is in leaves it in, but for its time and a revocation.
 * 4. Nothing leads out of `over`, and what comes late there does nothing.
 */
const TABLE: Readonly<Record<AccessState, Readonly<Record<AccessEvent, Cell | typeof NEVER>>>> = {
  unasked: {
    hello: ["checking", "check"],
    renew: NEVER,
    proved: NEVER,
    refuted: NEVER,
    expired: NEVER,
    revoked: ["unasked", "ignore"],
    ended: OVER,
  },
  checking: {
    hello: NEVER,
    renew: NEVER,
    proved: ["granted", "welcome"],
    refuted: END,
    expired: NEVER,
    revoked: ["checking", "ignore"],
    ended: OVER,
  },
  granted: {
    hello: NEVER,
    renew: ["renewing", "check"],
    proved: NEVER,
    refuted: NEVER,
    expired: END,
    revoked: END,
    ended: OVER,
  },
  renewing: {
    hello: NEVER,
    renew: ["renewing", "busy"],
    proved: ["granted", "replace"],
    refuted: ["granted", "tell"],
    expired: END,
    revoked: END,
    ended: OVER,
  },
  over: {
    hello: OVER,
    renew: OVER,
    proved: OVER,
    refuted: OVER,
    expired: OVER,
    revoked: OVER,
    ended: OVER,
  },
};

/** The next state and what follows; undefined if that cannot happen. */
export function accessStepOf(state: AccessState, event: AccessEvent): Cell | undefined {
  const cell = TABLE[state][event];
  return cell === NEVER ? undefined : cell;
}
