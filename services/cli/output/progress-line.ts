import { barText } from "./progress-bar.ts";
import { remark, statusLine } from "./terminal.ts";

/** The part of a terminal that a line is written on. */
type LineStream = { readonly isTTY?: boolean; readonly columns?: number };

/** Where nobody watches, a line is printed so seldom. */
const LINE_INTERVAL_MS = 10_000;
const BAR_CHARACTERS = 24;

/**
 * How far long work has come, on standard error: the bottom line of a terminal, and a
 * line now and then anywhere else.
 */
export class ProgressLine {
  readonly #stream: LineStream;
  readonly #nowMs: () => number;
  #printedMs: number | undefined;
  #isOpen = false;

  constructor(stream: LineStream, nowMs: () => number) {
    this.#stream = stream;
    this.#nowMs = nowMs;
  }

  /** Shows the text. Foreign text in it has to be on one line already. */
  show(text: string): void {
    if (this.#stream.isTTY === true) {
      statusLine().show(text.slice(0, (this.#stream.columns ?? 80) - 1));
      this.#isOpen = true;
      return;
    }
    const nowMs = this.#nowMs();
    if (this.#printedMs !== undefined && nowMs - this.#printedMs < LINE_INTERVAL_MS) return;
    // The first one would say that nothing has happened yet.
    if (this.#printedMs !== undefined) remark(text);
    this.#printedMs = nowMs;
  }

  /** Takes the line away. Idempotent. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    statusLine().show("");
  }
}

/** A bar of the share that is done, and the share: `━━━━━━────── 50 %`. */
export function progressBar(share: number): string {
  const known = Math.min(1, Math.max(0, share));
  const bar = barText(known, BAR_CHARACTERS, statusLine().isUnicode);
  return `${bar} ${String(Math.floor(known * 100)).padStart(3)} %`;
}
