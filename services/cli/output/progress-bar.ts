import type { Clock } from "#core/clock.ts";

/** What the amounts of a piece of work are counted in. */
type ProgressUnit = "bytes" | "lines" | "seconds" | "checks";

/** Where a bar is drawn: the bottom line of a terminal, which other output stays clear of. */
export type StatusLine = {
  /** False where nobody would see it, such as in a file. */
  readonly isSeen: boolean;
  readonly columns: number;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
  /** Replaces what the line shows; empty text removes it. */
  show(text: string): void;
};

/** A piece of work that tells how far it is. Where no terminal is, it costs next to nothing. */
type Progress = {
  /** So much is done. May be called as often as one likes: it is drawn ten times a second. */
  update(done: number): void;
  /** Removes the bar. Idempotent; nothing is drawn after it. */
  end(): void;
};

type ProgressOptions = {
  /** What is being done, such as "converting trades.ndjson.gz". */
  readonly label: string;
  readonly unit: ProgressUnit;
  /** How much there is to do; undefined if nobody knows. */
  readonly total: number | undefined;
  readonly line: StatusLine;
  readonly clock: Pick<Clock, "monotonicUs">;
};

const DRAW_INTERVAL_US = 100_000;
/** A rate over a shorter time says nothing. */
const RATE_AFTER_US = 500_000;
const BAR_CELLS_MAX = 30;
const BAR_CELLS_MIN = 8;

/** Begins to show how far a piece of work is. Whoever calls ends it, also when the work fails. */
export function startProgress(options: ProgressOptions): Progress {
  return options.line.isSeen ? new DrawnProgress(options) : { update() {}, end() {} };
}

class DrawnProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #startedUs: number;
  #drawnUs = -Infinity;
  #isEnded = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedUs = options.clock.monotonicUs();
  }

  update(done: number): void {
    if (this.#isEnded) return;
    const nowUs = this.#options.clock.monotonicUs();
    if (nowUs - this.#drawnUs < DRAW_INTERVAL_US) return;
    this.#drawnUs = nowUs;
    const { line } = this.#options;
    line.show(
      progressText({ ...this.#options, ...line, done, elapsedUs: nowUs - this.#startedUs }),
    );
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.line.show("");
  }
}

type ProgressState = Pick<ProgressOptions, "label" | "unit" | "total"> &
  Pick<StatusLine, "columns" | "isUnicode"> & {
    readonly done: number;
    readonly elapsedUs: number;
  };

/**
 * `converting a.gz  ━━━━━────  52 %  13.1 of 25.0 MB  4.2 MB/s  3 s left`, no wider than the
 * terminal: a narrow one loses the bar first, then the rate, then the end of the label.
 */
export function progressText(state: ProgressState): string {
  const { label, unit, total, done, elapsedUs, columns, isUnicode } = state;
  // The last column stays free: some terminals begin a new line when it is written to.
  const room = Math.max(0, columns - 1);
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
  const percent = share === undefined ? [] : [`${String(Math.floor(share * 100)).padStart(3)} %`];
  const amounts = [...percent, amountText(unit, done, total)];
  const rates = rateTexts(unit, { share, done, elapsedUs });
  const full = [...amounts, ...rates].join("  ");
  const tail = label.length + 2 + full.length <= room ? full : amounts.join("  ");
  const left = room - label.length - tail.length - 4;
  const cells = Math.min(BAR_CELLS_MAX, left);
  if (share !== undefined && cells >= BAR_CELLS_MIN) {
    return `${label}  ${barText(share, cells, isUnicode)}  ${tail}`;
  }
  const shown = label.slice(0, Math.max(0, room - tail.length - 2));
  return (shown === "" ? tail : `${shown}  ${tail}`).slice(0, room);
}

/** So much of the cells is done. */
export function barText(share: number, cells: number, isUnicode: boolean): string {
  const full = Math.round(share * cells);
  const [done, rest] = isUnicode ? ["━", "─"] : ["#", "."];
  return done.repeat(full) + rest.repeat(cells - full);
}

function rateTexts(
  unit: ProgressUnit,
  of: {
    readonly share: number | undefined;
    readonly done: number;
    readonly elapsedUs: number;
  },
): string[] {
  const { share, done, elapsedUs } = of;
  if (elapsedUs < RATE_AFTER_US || done <= 0) return [];
  const texts: string[] = [];
  const perSecond = (done / elapsedUs) * 1e6;
  if (unit === "bytes") texts.push(`${(perSecond / 1e6).toFixed(1)} MB/s`);
  if (unit === "lines") texts.push(`${Math.round(perSecond)} lines/s`);
  if (share !== undefined && share > 0 && share < 1) {
    texts.push(`${timeText(((elapsedUs / share) * (1 - share)) / 1e6)} left`);
  }
  return texts;
}

function amountText(unit: ProgressUnit, done: number, total: number | undefined): string {
  if (unit === "bytes") {
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    return total === undefined
      ? `${megabytes(done)} MB`
      : `${megabytes(done)} of ${megabytes(total)} MB`;
  }
  const count = unit === "seconds" ? Math.floor(done) : done;
  const name = unit === "seconds" ? "s" : unit;
  return total === undefined ? `${count} ${name}` : `${count} of ${Math.ceil(total)} ${name}`;
}

/** `3 s`, `2 min 10 s`, `1 h 5 min`. */
function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
