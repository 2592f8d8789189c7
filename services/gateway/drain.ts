import type { CancelTimer, Clock } from "#core/clock.ts";
import type { TurnLine, Work } from "./turns/turns.ts";

/** A session that is asked to leave. */
export type DrainableSession = {
  /** Calls that have not been answered to their end. */
  readonly callsInFlight: number;
  /** Tells the client, which is to leave by itself and go elsewhere within the window. */
  announceGoingAway(reconnectWindowMs: number): void;
  /** Refuses calls from now on; those under way go on. */
  refuseCalls(): void;
  /** Sends what is queued and closes with a code. Idempotent, also after the session has gone. */
  dismiss(): void;
  /** Cuts the connection. Idempotent. */
  terminate(): void;
};

/** What a drain works on. */
type DrainParts = {
  readonly clock: Clock;
  /** Those that are there now; whoever owns them takes out what has gone. */
  readonly sessions: ReadonlySet<DrainableSession>;
  /** HTTP requests that have not been answered to their end. */
  readonly requestsInFlight: () => number;
  /** Each client has so long to leave, from when it is told. */
  readonly windowMs: number;
  /** At most so many are closed in any second, and told a little slower. */
  readonly closesPerSecondMax: number;
  /** Has turns for cutting who is left; without it, all are cut in one. */
  readonly line?: TurnLine;
  /** Whatever is left after so long is cut. */
  readonly graceMs: number;
};

/** What a drain will come to, if no client leaves before it is closed. */
type DrainPlan = {
  /** Until every session is closed at the rate. */
  readonly neededMs: number;
  /** Sessions that the rate leaves until the grace is over, when they are cut. */
  readonly overdueSessions: number;
};

/** What became of the sessions that were there at the start. */
export type DrainResult = { readonly left: number; readonly closed: number; readonly cut: number };

/** Clients that are told, or closed, in one turn of the event loop. */
const SESSIONS_PER_TURN = 128;
/** A rate is kept by groups, so many a second, as timers are not finer. */
const GROUPS_PER_SECOND = 20;
/**
 * Clients are told at this share of the rate: some take longer to leave than others, and so more of
 * them leave in some second than were told in any.
 */
const TELL_SHARE = 0.7;
/** How often sessions that wait for their calls are looked at. */
const CALLS_CHECK_US = 20_000;

/** A rate that holds in every second, whenever it begins: nothing is made up for. */
export class Pace {
  readonly #group: number;
  readonly #gapUs: number;
  /** When the next group may go. */
  readyUs = 0;

  /** `perSecond` is an integer of at least 1. */
  constructor(perSecond: number) {
    const group = Math.floor(perSecond / GROUPS_PER_SECOND);
    this.#group = Math.max(1, Math.min(SESSIONS_PER_TURN, group));
    this.#gapUs = Math.ceil(1_000_000 / Math.floor(perSecond / this.#group));
  }

  /** How many may go now, as a group of which none goes later. */
  take(nowUs: number): number {
    if (nowUs < this.readyUs) return 0;
    this.readyUs = nowUs + this.#gapUs;
    return this.#group;
  }
}

/** A session that was told, and when it is closed. */
type Told = { readonly session: DrainableSession; readonly dueUs: number };

/**
 * Empties a gateway. Clients are told at an even pace, so that they do not come to other gateways
 * all at once; who has not left when its window is over is closed, at the same pace, once its calls
 * have ended; whoever is there after `graceMs` is cut.
 */
export class Drain {
  readonly plan: DrainPlan;
  readonly #parts: DrainParts;
  readonly #windowMs: number;
  readonly #tellPace: Pace;
  readonly #closePace: Pace;
  readonly #untold: DrainableSession[];
  readonly #told: Told[] = [];
  /** Those whose window is over while calls are under way. */
  readonly #busy = new Set<DrainableSession>();
  /** They have been closed, and may have to have their turn to be gone. */
  readonly #dismissed = new Set<DrainableSession>();
  readonly #sessionsAtStart: number;
  #closed = 0;
  #onEmpty: (() => void) | undefined;
  #onLastGone: (() => void) | undefined;
  #cancelNext: CancelTimer = () => {};

  constructor(parts: DrainParts) {
    const { sessions, graceMs, closesPerSecondMax } = parts;
    const count = sessions.size;
    this.#parts = parts;
    this.#windowMs = Math.min(parts.windowMs, graceMs);
    this.#untold = [...sessions];
    this.#sessionsAtStart = count;
    // Where the rate takes too long, everybody is told in time to leave all the same.
    const tellMs = graceMs - this.#windowMs;
    const tellPerSecondMin = Math.ceil((count * 1_000) / Math.max(1, tellMs));
    const tellPerSecond = Math.max(1, Math.floor(closesPerSecondMax * TELL_SHARE));
    this.#tellPace = new Pace(Math.max(tellPerSecond, tellPerSecondMin));
    this.#closePace = new Pace(closesPerSecondMax);
    this.plan = {
      neededMs: Math.ceil((count * 1_000) / tellPerSecond) + this.#windowMs,
      overdueSessions: Math.max(0, count - Math.floor((tellMs * tellPerSecond) / 1_000)),
    };
  }

  /** Resolves when no session and no request is left. */
  async run(): Promise<DrainResult> {
    const { sessions } = this.#parts;
    if (!this.#isEmpty) {
      const empty = this.#emptyOrGraceOver();
      this.#step();
      await empty;
    }
    this.#cancelNext();
    const { line } = this.#parts;
    const cut = line === undefined ? wholeOf(this.#cutAll()) : await line.run(this.#cutAll());
    // Where many are cut, their ends have their turns later.
    if (sessions.size > 0) await new Promise<void>((resolve) => (this.#onLastGone = resolve));
    const closed = this.#closed;
    return { left: this.#sessionsAtStart - closed - cut, closed, cut };
  }

  /** A session was taken out of `sessions`, or a request was answered. */
  onGone(): void {
    if (this.#isEmpty) this.#onEmpty?.();
    if (this.#parts.sessions.size === 0) this.#onLastGone?.();
  }

  get #isEmpty(): boolean {
    return this.#parts.sessions.size === 0 && this.#parts.requestsInFlight() === 0;
  }

  /** Closes who is due, then tells the next ones, who so hear it in an earlier turn. */
  #step(): void {
    const { clock } = this.#parts;
    this.#findDue(clock.monotonicUs());
    this.#closeSome(clock.monotonicUs());
    this.#tellSome(clock.monotonicUs());
    const nowUs = clock.monotonicUs();
    const nextUs = this.#nextUs(nowUs);
    if (nextUs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(1, Math.ceil((nextUs - nowUs) / 1_000));
    this.#cancelNext = clock.after(delayMs, () => this.#step());
  }

  #nextUs(nowUs: number): number {
    let nextUs = Number.POSITIVE_INFINITY;
    const { readyUs } = this.#closePace;
    if (this.#untold.length > 0) nextUs = this.#tellPace.readyUs;
    const due = this.#told[0];
    if (due !== undefined) nextUs = Math.min(nextUs, due.dueUs);
    if (this.#busy.size > 0) {
      nextUs = Math.min(nextUs, readyUs > nowUs ? readyUs : nowUs + CALLS_CHECK_US);
    }
    return nextUs;
  }

  /** Whose window is over waits for its calls from now on, and for its turn. */
  #findDue(nowUs: number): void {
    let count = 0;
    for (const { session, dueUs } of this.#told) {
      if (dueUs > nowUs) break;
      count += 1;
      if (!this.#parts.sessions.has(session)) continue;
      if (session.callsInFlight > 0) session.refuseCalls();
      this.#busy.add(session);
    }
    this.#told.splice(0, count);
  }

  #closeSome(nowUs: number): void {
    const { sessions } = this.#parts;
    let left = 0;
    for (const session of this.#busy) {
      if (!sessions.has(session)) {
        this.#busy.delete(session);
      } else if (session.callsInFlight === 0) {
        if (left === 0) left = this.#closePace.take(nowUs);
        if (left === 0) return;
        this.#busy.delete(session);
        this.#closed += 1;
        this.#dismissed.add(session);
        session.dismiss();
        left -= 1;
        if (left === 0) return;
      }
    }
  }

  #tellSome(nowUs: number): void {
    if (this.#untold.length === 0) return;
    const dueUs = nowUs + this.#windowMs * 1_000;
    for (const session of this.#untold.splice(0, this.#tellPace.take(nowUs))) {
      if (!this.#parts.sessions.has(session)) continue;
      session.announceGoingAway(this.#windowMs);
      this.#told.push({ session, dueUs });
    }
  }

  /** Cuts who is left, and says how many of them had not been closed before. */
  *#cutAll(): Work<number> {
    const { line, sessions } = this.#parts;
    let cut = 0;
    for (const session of sessions) {
      if (line?.isOver === true) yield;
      // Who goes meanwhile has left by itself.
      if (!sessions.has(session)) continue;
      if (!this.#dismissed.has(session)) cut += 1;
      session.terminate();
    }
    return cut;
  }

  #emptyOrGraceOver(): Promise<void> {
    const { clock, graceMs } = this.#parts;
    return new Promise((resolve) => {
      const cancel = clock.after(graceMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Does work that nobody waits behind. */
function wholeOf<Result>(work: Work<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
