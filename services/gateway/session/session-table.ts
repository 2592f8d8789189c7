import { CloseCode } from "#wire/codes.ts";

/**
 * Where a session stands.
 * - `awaiting-hello`: connected; the client has not said which protocol it speaks.
 * - `open`: requests are served and topics delivered.
 * - `draining`: as open, but the client knows that the gateway goes away.
 * - `closing`: a close was asked of the transport; nothing is read, served or sent.
 * - `closed`: the transport has said that the connection is gone.
 */
export type SessionState = "awaiting-hello" | "open" | "draining" | "closing" | "closed";

/** What can happen to a session: a request, a fault of the client, or a word of the gateway. */
export type SessionEvent =
  | "frame"
  | "hello"
  | "subscribe"
  | "unsubscribe"
  | "update"
  | "call"
  | "cancel"
  | "credit"
  | "ping"
  | "probeAnswer"
  | "authenticate"
  | "text-frame"
  | "oversized-frame"
  | "unreadable-frame"
  | "unknown-version"
  | "request-rate-exceeded"
  | "topic-rate-exceeded"
  | "call-id-not-rising"
  | "hello-timeout"
  | "unauthenticated"
  | "access-expired"
  | "access-limited"
  | "access-unavailable"
  | "access-revoked"
  | "lagging"
  | "too-slow"
  | "catalog-changed"
  | "going-away"
  | "dismissed"
  | "cut"
  | "writable"
  | "pong"
  | "connection-gone";

/** What follows from an event. */
export type Step =
  /** The event is served, and the session stands at `next`. */
  | { readonly does: "serve"; readonly next: SessionState }
  /** The session closes with `code`. */
  | { readonly does: "close"; readonly next: "closing"; readonly code: CloseCode }
  /** Nothing: the event came too late to matter. */
  | { readonly does: "nothing" };

/** An event that our own code or the transport's contract rules out. */
const NEVER = "never";
type Cell = Step | typeof NEVER;

/** One cell for each state, in the order of COLUMNS; a missing one does not compile. */
type Row = readonly [awaiting: Cell, open: Cell, draining: Cell, closing: Cell, closed: Cell];

const COLUMNS = {
  "awaiting-hello": 0,
  open: 1,
  draining: 2,
  closing: 3,
  closed: 4,
} as const satisfies Record<SessionState, number>;

const LATE: Step = { does: "nothing" };
const to = (next: SessionState): Step => ({ does: "serve", next });
const close = (code: CloseCode): Step => ({ does: "close", next: "closing", code });

const HELLO = to("awaiting-hello");
const OPEN = to("open");
const DRAIN = to("draining");
const CLOSING = to("closing");
const CLOSED = to("closed");
const AWAY = close(CloseCode.GoingAway);
const SLOW = close(CloseCode.SlowConsumer);
const FAST = close(CloseCode.RateLimited);
const TIMEOUT = close(CloseCode.HelloTimeout);
const BROKEN = close(CloseCode.ProtocolError);
const TEXT = close(CloseCode.TextFrame);
const LARGE = close(CloseCode.FrameTooLarge);
const UNPROVED = close(CloseCode.Unauthenticated);
const EXPIRED = close(CloseCode.AccessExpired);
const LIMITED = close(CloseCode.AccessLimited);
const UNSURE = close(CloseCode.AccessUnavailable);
const REVOKED = close(CloseCode.AccessRevoked);
const VERSION = close(CloseCode.UnsupportedVersion);

/**
 * Every event in every state. What holds, and what enforces it:
 * 1. Nothing is served before Hello, and Hello is said once: its row and the rows of the requests.
 * 2. The hello timer runs exactly while the session awaits Hello: `hello-timeout` elsewhere is
 *    NEVER, because leaving the state cancels the timer.
 * 3. A session closes once, and nothing is read, served or sent after that: `frame` is late in
 *    `closing`, what a frame holds is NEVER there, and entering it closes outbound, subscriptions
 *    and calls.
 * 4. A session ends once: only `connection-gone` leads to `closed`, and nothing leads out of it.
 * 5. A fault of the client never throws: each has a close code in every state that reads.
 * NEVER is asserted: a broken rule ends the process, because it is our bug and not the client's.
 */
const TABLE: Record<SessionEvent, Row> = {
  // awaiting-hello, open, draining, closing, closed
  frame: [HELLO, OPEN, DRAIN, LATE, NEVER],

  // What a frame holds. The rest of a frame is not looked at once the session closes.
  hello: [OPEN, BROKEN, BROKEN, NEVER, NEVER],
  subscribe: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  unsubscribe: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  update: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  call: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  cancel: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  credit: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  ping: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  probeAnswer: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  authenticate: [BROKEN, OPEN, DRAIN, NEVER, NEVER],
  "text-frame": [TEXT, TEXT, TEXT, NEVER, NEVER],
  "oversized-frame": [LARGE, LARGE, LARGE, NEVER, NEVER],
  "unreadable-frame": [BROKEN, BROKEN, BROKEN, NEVER, NEVER],
  // A second Hello is a fault whatever version it names.
  "unknown-version": [VERSION, BROKEN, BROKEN, NEVER, NEVER],
  // A first frame may hold more than anybody is granted.
  "request-rate-exceeded": [FAST, FAST, FAST, NEVER, NEVER],
  // The first request ends the wait for Hello in any case.
  "topic-rate-exceeded": [NEVER, FAST, FAST, NEVER, NEVER],
  "call-id-not-rising": [NEVER, BROKEN, BROKEN, NEVER, NEVER],

  "hello-timeout": [TIMEOUT, NEVER, NEVER, NEVER, NEVER],
  // A client proves who it is before it is welcome. Its access may end afterwards.
  unauthenticated: [UNPROVED, NEVER, NEVER, NEVER, NEVER],
  "access-limited": [LIMITED, NEVER, NEVER, NEVER, NEVER],
  "access-unavailable": [UNSURE, NEVER, NEVER, NEVER, NEVER],
  "access-expired": [EXPIRED, EXPIRED, EXPIRED, NEVER, NEVER],
  "access-revoked": [REVOKED, REVOKED, REVOKED, NEVER, NEVER],
  // Outbound is closed with the session and judges nobody afterwards.
  lagging: [HELLO, OPEN, DRAIN, NEVER, NEVER],
  "too-slow": [SLOW, SLOW, SLOW, NEVER, NEVER],
  // A client that has said nothing yet has no subscriptions for the catalog to change.
  "catalog-changed": [LATE, OPEN, DRAIN, LATE, NEVER],
  // Told before its Hello, a client is served like any other until it is dismissed.
  "going-away": [HELLO, DRAIN, LATE, LATE, NEVER],
  dismissed: [AWAY, AWAY, AWAY, LATE, LATE],
  cut: [CLOSING, CLOSING, CLOSING, CLOSING, LATE],
  // A transport may report room for a connection that has just gone.
  writable: [HELLO, OPEN, DRAIN, LATE, LATE],
  // A client may send pongs that nobody asked for, as early as it likes.
  pong: [HELLO, OPEN, DRAIN, LATE, LATE],
  "connection-gone": [CLOSED, CLOSED, CLOSED, CLOSED, NEVER],
};

/** What follows from `event` in `state`; undefined if it cannot happen. */
export function stepOf(state: SessionState, event: SessionEvent): Step | undefined {
  const cell = TABLE[event][COLUMNS[state]];
  return cell === NEVER ? undefined : cell;
}
