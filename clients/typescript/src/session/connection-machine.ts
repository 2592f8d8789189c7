/**
 * What one connection is doing.
 * `idle`: it has not been dialled. `dialling`: the socket opens. `greeting`: Hello is out, and
 * Welcome is waited for. `ready`: Welcome came. `ended`: it is over, for whatever reason.
 */
export type ConnectionState = "idle" | "dialling" | "greeting" | "ready" | "ended";

/**
 * What happens to a connection.
 * `dial`: its owner starts it. `opened`: the socket is open. `welcome`: a Welcome that this client
 * can work with came. `frame`: anything else came from the gateway. `timeout`: no Welcome came in
 * time. `fail`: this side gives up. `closed`: the socket was closed by the other side.
 */
export type ConnectionEvent =
  | "dial"
  | "opened"
  | "welcome"
  | "frame"
  | "timeout"
  | "fail"
  | "closed";

/**
 * What the connection does about it. `dial`: opens a socket and starts the timer. `greet`: sends
 * Hello. `announce`: stops the timer, starts the watchdog and tells the owner. `deliver`: hands the
 * message on. `end`: lets go of socket and timers, then tells the owner. `ignore`: nothing.
 */
export type ConnectionAction = "dial" | "greet" | "announce" | "deliver" | "end" | "ignore";

type Cell = readonly [next: ConnectionState, action: ConnectionAction];

const END: Cell = ["ended", "end"];
const OVER: Cell = ["ended", "ignore"];

/**
 * Every state by every event. What the table must hold, and `connection-machine.test.ts` shows:
 *
 * 1. The owner is told of the end exactly once: every way into `ended` from elsewhere has the
 *    action `end`, and nothing that happens in `ended` has any.
 * 2. The owner is told of at most one Welcome: only `greeting` has the action `announce`, and
 *    nothing leads back to `greeting`. A second Welcome is a message like any other.
 * 3. Nothing is handed on before Hello went out or after the end.
 * 4. The timer of the Welcome can only end a connection that waits for one.
 * 5. Whatever the state, `fail` and `closed` lead to `ended`: no connection is left half alive.
 */
export const CONNECTION_TABLE: Readonly<
  Record<ConnectionState, Readonly<Record<ConnectionEvent, Cell>>>
> = {
  idle: {
    dial: ["dialling", "dial"],
    opened: ["idle", "ignore"],
    welcome: ["idle", "ignore"],
    frame: ["idle", "ignore"],
    timeout: ["idle", "ignore"],
    fail: END,
    closed: END,
  },
  dialling: {
    dial: ["dialling", "ignore"],
    opened: ["greeting", "greet"],
    welcome: ["dialling", "ignore"],
    frame: ["dialling", "ignore"],
    timeout: END,
    fail: END,
    closed: END,
  },
  greeting: {
    dial: ["greeting", "ignore"],
    opened: ["greeting", "ignore"],
    welcome: ["ready", "announce"],
    frame: ["greeting", "deliver"],
    timeout: END,
    fail: END,
    closed: END,
  },
  ready: {
    dial: ["ready", "ignore"],
    opened: ["ready", "ignore"],
    welcome: ["ready", "deliver"],
    frame: ["ready", "deliver"],
    timeout: ["ready", "ignore"],
    fail: END,
    closed: END,
  },
  ended: {
    dial: OVER,
    opened: OVER,
    welcome: OVER,
    frame: OVER,
    timeout: OVER,
    fail: OVER,
    closed: OVER,
  },
};
