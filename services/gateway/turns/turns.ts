import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Work that may take long. It asks its line whether the turn is over before each step that costs
 * something, and yields if it is; it goes on in a later turn.
 */
export type Work<Result = void> = Generator<undefined, Result>;

/** All work that waited, in one turn of the event loop. */
const QUEUED_US_MAX = 1_000;
/** All work that is begun at once when it comes, in one turn of the event loop. */
const PROMPT_US_MAX = 1_000;
/** Of that, steps that were put off, in a turn in which lines wait as well. */
const LATE_US_MAX = 500;
/** Work of one line before it is the next one's turn. */
const SLICE_US_MAX = 250;
/** Steps of all clients that may be put off at the same time. One more is done when it comes. */
const STEPS_WAITING_MAX = 65_536;
/** Places of steps that are done are given up when there are so many. */
const DONE_STEPS_MAX = 1_024;

/** One step that is not cut, and what it is done with. */
type Step<Subject, Argument> = (subject: Subject, argument: Argument) => void;
/** What becomes of steps that come by the thousand. */
type StepMetrics = Pick<GatewayMetrics, "stepsWaiting" | "stepsOverflowed">;
type TurnsParts = {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly metrics?: StepMetrics;
  readonly stepsWaitingMax?: number;
};
type LateStep = {
  readonly step: Step<unknown, unknown>;
  readonly subject: unknown;
  readonly argument: unknown;
};

/**
 * Does the long work of all clients in turns: at most 2 ms of each turn of the event loop, whoever
 * wants how much, and a slice for each client in rotation. So whoever asks for little waits for no
 * more than a few turns behind whoever asks for much, and market data in between for no more than
 * one. Short steps that come by the thousand, such as frames to be read, have a queue of their own.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #metrics: StepMetrics | undefined;
  readonly #stepsWaitingMax: number;
  /** Lines with work that waits, the next first. */
  #waiting: TurnLine[] = [];
  /** Steps that were put off; those before `#lateHead` are done. */
  #late: LateStep[] = [];
  #lateHead = 0;
  #promptUsLeft = PROMPT_US_MAX;
  #armed = false;
  /** When the slice under way began, and how long it may be. */
  #startedUs = 0;
  #allowedUs = 0;
  #running = false;

  constructor(parts: TurnsParts) {
    this.#clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#metrics = parts.metrics;
    this.#stepsWaitingMax = parts.stepsWaitingMax ?? STEPS_WAITING_MAX;
  }

  /** Steps that were put off. */
  get stepsWaiting(): number {
    return this.#late.length - this.#lateHead;
  }

  /** A line of its own for one client. */
  open(): TurnLine {
    return new TurnLine(this);
  }

  /** For work: whether it is to yield. */
  get isOver(): boolean {
    return this.#clock.monotonicUs() - this.#startedUs >= this.#allowedUs;
  }

  /** For TurnLine: its first work has come. */
  begin(line: TurnLine): void {
    this.#arm();
    if (this.#running || this.#promptUsLeft <= 0) this.#waiting.push(line);
    else this.#promptUsLeft -= this.#slice(line, Math.min(this.#promptUsLeft, SLICE_US_MAX));
  }

  /**
   * Does one step at once, which is not cut. False, and nothing is done, if the turn has no time
   * for what has just come and it can be put off. Where too much was put off, what comes is done
   * all the same: memory is bounded, and clients feel it.
   */
  doNow<Subject, Argument>(
    step: Step<Subject, Argument>,
    subject: Subject,
    argument: Argument,
  ): boolean {
    this.#arm();
    const isLate = this.#running || this.#promptUsLeft <= 0;
    if (isLate) {
      if (this.stepsWaiting < this.#stepsWaitingMax) return false;
      this.#metrics?.stepsOverflowed.inc();
    }
    const [leftUs, startedUs] = [this.#promptUsLeft, this.#clock.monotonicUs()];
    step(subject, argument);
    // Work that the step brought was begun at once, and is counted once.
    const restUs = leftUs - (this.#clock.monotonicUs() - startedUs);
    this.#promptUsLeft = Math.min(this.#promptUsLeft, restUs);
    return true;
  }

  /**
   * Puts a step off until a turn has time for it, behind those that were put off before. To be used
   * where `doNow` has said no, or by a step that was put off itself, for which there is a place.
   */
  doLater<Subject, Argument>(
    step: Step<Subject, Argument>,
    subject: Subject,
    argument: Argument,
  ): void {
    this.#arm();
    this.#late.push({ step: step as Step<unknown, unknown>, subject, argument });
  }

  /** Does steps that were put off, and says what they took. */
  #doLate(allowedUs: number): number {
    assert(!this.#running, "one line works at a time");
    this.#running = true;
    const startedUs = this.#clock.monotonicUs();
    let tookUs = 0;
    try {
      while (tookUs < allowedUs) {
        const late = this.#late[this.#lateHead];
        if (late === undefined) break;
        this.#lateHead += 1;
        late.step(late.subject, late.argument);
        tookUs = this.#clock.monotonicUs() - startedUs;
      }
    } finally {
      this.#running = false;
    }
    if (this.#lateHead >= DONE_STEPS_MAX || this.#lateHead === this.#late.length) {
      this.#late.splice(0, this.#lateHead);
      this.#lateHead = 0;
    }
    return tookUs;
  }

  /** Gives a line its time, and a place at the end if that is not enough. Says what it took. */
  #slice(line: TurnLine, allowedUs: number): number {
    assert(!this.#running, "one line works at a time");
    this.#running = true;
    this.#startedUs = this.#clock.monotonicUs();
    this.#allowedUs = allowedUs;
    try {
      if (!line.advance()) this.#waiting.push(line);
    } finally {
      this.#running = false;
    }
    return this.#clock.monotonicUs() - this.#startedUs;
  }

  readonly #onTurn = (): void => {
    this.#armed = false;
    this.#promptUsLeft = PROMPT_US_MAX;
    let leftUs = QUEUED_US_MAX;
    if (this.#late.length > 0) {
      leftUs -= this.#doLate(this.#waiting.length > 0 ? LATE_US_MAX : QUEUED_US_MAX);
    }
    // Whoever begins during the turn comes after those who have waited.
    let lines = this.#waiting.length;
    while (lines > 0 && leftUs > 0) {
      const line = this.#waiting.shift();
      assert(line !== undefined, "lines that wait are there");
      leftUs -= this.#slice(line, Math.min(leftUs, SLICE_US_MAX));
      lines -= 1;
      if (lines === 0) lines = this.#waiting.length;
    }
    this.#metrics?.stepsWaiting.set(this.stepsWaiting);
    if (this.#waiting.length + this.#late.length > 0) this.#arm();
  };

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#scheduler.endOfTurn(this.#onTurn);
  }
}

/** The long work of one client, which is done in the order in which it came. */
export class TurnLine {
  readonly #turns: Turns;
  readonly #work: Work[] = [];
  /** Whether this line works, or has its place among those that wait. */
  #isBusy = false;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Pieces of work that are not finished. */
  get waiting(): number {
    return this.#work.length;
  }

  /** For work: whether it is to yield. */
  get isOver(): boolean {
    return this.#turns.isOver;
  }

  /** Does the work, at once as far as the turn allows it and no other work is before it. */
  add(work: Work): void {
    this.#work.push(work);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#turns.begin(this);
  }

  /** As `add`, for work with a result, or an error. It never settles if the work is given up. */
  run<Result>(work: Work<Result>): Promise<Result> {
    return new Promise((resolve, reject) => this.add(settled(work, resolve, reject)));
  }

  /** Gives up all work that is not finished. What calls this may be part of it: it goes on. */
  clear(): void {
    this.#work.length = 0;
  }

  /** For Turns: goes on until the turn is over or everything is done; says whether it is. */
  advance(): boolean {
    for (let work = this.#work[0]; work !== undefined; work = this.#work[0]) {
      const { done } = work.next();
      // It may have been given up by itself.
      if (done === true && this.#work[0] === work) this.#work.shift();
      if (this.#work.length > 0 && (done !== true || this.isOver)) return false;
    }
    this.#isBusy = false;
    return true;
  }
}

/** Work of one step, which is done in its turn. */
// oxlint-disable-next-line require-yield -- there is no place to stop at
export function* oneStep<Result>(step: () => Result): Work<Result> {
  return step();
}

function* settled<Result>(
  work: Work<Result>,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): Work {
  try {
    resolve(yield* work);
  } catch (error) {
    reject(error);
  }
}
