import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { RecordedEntry } from "../format/entry.ts";
import { REPLAY_TABLE, type ReplayInput, type ReplayState } from "./replay-table.ts";

/** Where entries come from; see `Recording`. */
type EntrySource = {
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
  entries(range: {
    readonly fromTimeUs: number;
    readonly toTimeUs: number;
  }): AsyncIterable<readonly RecordedEntry[]>;
};

/** Who gets them. */
type EntrySink = {
  /** The next entry happens. */
  play(entry: RecordedEntry): void;
  /** Nothing that was played counts any more: entries that lead to another time follow. */
  reset(): void;
  /** An entry of before that time, which changes the state there. */
  absorb(entry: RecordedEntry): void;
  /** All of them came: whoever listens is told what the state is. */
  restate(): void;
  /** Resolves when others have had their turn. */
  settle(): Promise<void>;
};

export type ReplayPlayerOptions = {
  readonly source: EntrySource;
  readonly sink: EntrySink;
  /** Paces the replay. */
  readonly clock: Clock;
  /** The range that is played, and played again. Times are the recorder's. */
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  /** Where to begin; the start of the range if absent. */
  readonly startTimeUs?: number | undefined;
  /** Times the pace of then, or without a pause. */
  readonly speed: number | "max";
  readonly loop: boolean;
  readonly paused: boolean;
  /** Nothing is played before this resolves. */
  readonly startAfter?: Promise<void> | undefined;
};

/** What a replay tells of itself. Times are microseconds since 1970. */
export type ReplayStatus = {
  readonly state: ReplayState;
  readonly positionTimeUs: number;
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly speed: number | "max";
  readonly loop: boolean;
  /** Entries that were played, all rounds together. */
  readonly played: number;
  /** How often it began again. */
  readonly rounds: number;
};

/** Entries after which a replay without pauses lets others run. */
const ENTRIES_PER_TURN = 64;

/** Ahead of its time by less than this, an entry does not wait: timers are not finer. */
const PACE_MS_MIN = 1;

/** Speeds that can be asked for. */
export const REPLAY_SPEED_MIN = 0.01;
export const REPLAY_SPEED_MAX = 10_000;

/** Plays entries at their pace, and does at any time what its user asks of it. */
export class ReplayPlayer {
  readonly #options: ReplayPlayerOptions;
  #state: ReplayState = "playing";
  #speed: number | "max";
  #loop: boolean;
  #position: number;
  #steps = 0;
  #played = 0;
  #rounds = 0;
  #seekTo: number | undefined;
  #pace: { readonly recordedUs: number; readonly realUs: number } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ReplayPlayerOptions) {
    const { fromTimeUs, toTimeUs, startTimeUs = fromTimeUs } = options;
    assert(fromTimeUs <= toTimeUs, "a range ends behind its start");
    this.#options = options;
    this.#speed = options.speed;
    this.#loop = options.loop;
    this.#position = startTimeUs;
    if (options.paused) this.#apply("pause");
  }

  get status(): ReplayStatus {
    const { fromTimeUs, toTimeUs } = this.#options;
    return {
      state: this.#state,
      positionTimeUs: this.#position,
      fromTimeUs,
      toTimeUs,
      speed: this.#speed,
      loop: this.#loop,
      played: this.#played,
      rounds: this.#rounds,
    };
  }

  /**
   * Plays until it is closed, or resolves after the last entry if `stay` is false. Rejects if the
   * source does.
   */
  async run({ stay }: { readonly stay: boolean }): Promise<void> {
    this.#seekTo = this.#position;
    await this.#untilStarted();
    while (!this.#isClosed) {
      const target = this.#seekTo ?? this.#position;
      this.#seekTo = undefined;
      const isWhole = await this.#playFrom(target);
      if (!isWhole) continue;
      await this.#options.sink.settle();
      if (this.#loop && this.#seekTo === undefined) {
        this.#rounds += 1;
        this.#seekTo = this.#options.fromTimeUs;
        // A range without entries would be played again and again in one turn.
        await this.#sleep(PACE_MS_MIN);
        continue;
      }
      this.#apply("last-entry");
      if (!stay && this.#seekTo === undefined) return;
      while (this.#state === "ended") await this.#untilWoken();
    }
  }

  pause(): void {
    this.#apply("pause");
  }

  resume(): void {
    this.#apply("resume");
  }

  /** Plays so many entries more, and pauses. */
  step(count = 1): void {
    if (this.#state === "paused" || this.#state === "playing") this.#steps += count;
    this.#apply("step");
  }

  setSpeed(speed: number | "max"): void {
    this.#speed = speed === "max" ? speed : clamp(speed, REPLAY_SPEED_MIN, REPLAY_SPEED_MAX);
    this.#wakeUp();
  }

  setLoop(loop: boolean): void {
    this.#loop = loop;
    this.#wakeUp();
  }

  /** Goes on from this time, within the range. */
  seek(timeUs: number): void {
    const { fromTimeUs, toTimeUs } = this.#options;
    this.#seekTo = clamp(timeUs, fromTimeUs, toTimeUs);
    this.#position = this.#seekTo;
    this.#steps = 0;
    this.#apply("seek");
  }

  /** Plays nothing more. Idempotent. */
  close(): void {
    this.#apply("close");
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #apply(input: ReplayInput): void {
    this.#state = REPLAY_TABLE[this.#state][input];
    this.#wakeUp();
  }

  /** The pace begins anew, and whoever waits looks again. */
  #wakeUp(): void {
    this.#pace = undefined;
    this.#wake?.();
  }

  /** False if it was called away before the end. */
  async #playFrom(targetUs: number): Promise<boolean> {
    const { source, sink, toTimeUs } = this.#options;
    sink.reset();
    let isThere = false;
    const arrive = (): void => {
      if (isThere) return;
      isThere = true;
      sink.restate();
      this.#position = targetUs;
      this.#pace = undefined;
    };
    let sinceTurn = 0;
    for await (const entries of source.entries({ fromTimeUs: targetUs, toTimeUs })) {
      if (this.#isCalledAway) return false;
      for (const entry of entries) {
        if (entry.timeUs < targetUs) {
          sink.absorb(entry);
          continue;
        }
        arrive();
        if (!(await this.#isDue(entry))) return false;
        this.#position = entry.timeUs;
        this.#played += 1;
        sink.play(entry);
        sinceTurn += 1;
        if (sinceTurn < ENTRIES_PER_TURN) continue;
        sinceTurn = 0;
        await sink.settle();
      }
    }
    arrive();
    return !this.#isCalledAway;
  }

  get #isCalledAway(): boolean {
    return this.#isClosed || this.#seekTo !== undefined;
  }

  /** Resolves with true when the entry is to be played, and false when something else is. */
  async #isDue({ timeUs }: RecordedEntry): Promise<boolean> {
    for (;;) {
      if (this.#isCalledAway) return false;
      if (this.#steps > 0) {
        this.#steps -= 1;
        return true;
      }
      if (this.#state === "paused") {
        await this.#untilWoken();
        continue;
      }
      const waitMs = this.#waitMs(timeUs);
      if (waitMs < PACE_MS_MIN) return true;
      await this.#sleep(waitMs);
    }
  }

  #waitMs(recordedUs: number): number {
    if (this.#speed === "max") return 0;
    const nowUs = this.#options.clock.monotonicUs();
    this.#pace ??= { recordedUs: Math.max(this.#position, 0), realUs: nowUs };
    const dueUs = this.#pace.realUs + (recordedUs - this.#pace.recordedUs) / this.#speed;
    return (dueUs - nowUs) / 1_000;
  }

  async #untilStarted(): Promise<void> {
    const { startAfter } = this.#options;
    if (startAfter === undefined) return;
    let isStarted = false;
    const started = startAfter.then(() => {
      isStarted = true;
    });
    while (!isStarted && !this.#isClosed) await Promise.race([started, this.#untilWoken()]);
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#options.clock.after(delayMs, end);
      this.#wake = () => {
        cancel();
        end();
      };
    });
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
