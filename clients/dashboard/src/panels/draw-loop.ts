import type { Panel } from "./context.ts";

/** Prices are drawn at most so often: more is not read, and leaves less for everything else. */
const INTERVAL_MS = 100;

type Drawn = Pick<Panel, "element" | "draw" | "drawIntervalMs">;
type Host = {
  /** A clock that nobody sets: one that is set back would stand still for as long. */
  readonly steadyMs: () => number;
  readonly afterMs: (delayMs: number, callback: () => void) => void;
  /** Calls back with the next frame of the screen. */
  readonly onFrame: (callback: () => void) => void;
};

/**
 * Draws what changed, all panels in one frame: at once what a reader did, and what the market did
 * at most every 100 ms, so that frames in between stay free. While nothing changes, nothing is
 * drawn.
 */
export class DrawLoop {
  readonly #panels: readonly Drawn[];
  readonly #afterAll: () => void;
  readonly #host: Host;
  readonly #drawnMs: number[];
  #lastMs = Number.NEGATIVE_INFINITY;
  #isTimed = false;
  #isFrameDue = false;
  #isUrgent = false;

  /** `afterAll` is called after each round of panels. */
  constructor(panels: readonly Drawn[], afterAll: () => void, host: Host) {
    this.#panels = panels;
    this.#afterAll = afterAll;
    this.#host = host;
    this.#drawnMs = panels.map(() => Number.NEGATIVE_INFINITY);
  }

  /** Something changed; `isUrgent` if a reader waits to see what he did. */
  redraw(isUrgent = false): void {
    if (isUrgent) this.#isUrgent = true;
    if (this.#isFrameDue) return;
    const waitMs = isUrgent ? 0 : this.#lastMs + INTERVAL_MS - this.#host.steadyMs();
    if (waitMs <= 0) this.#askFrame();
    else if (!this.#isTimed) {
      this.#isTimed = true;
      this.#host.afterMs(waitMs, () => {
        this.#isTimed = false;
        if (!this.#isFrameDue) this.#askFrame();
      });
    }
  }

  #askFrame(): void {
    this.#isFrameDue = true;
    this.#host.onFrame(() => this.#draw());
  }

  #draw(): void {
    this.#isFrameDue = false;
    const isUrgent = this.#isUrgent;
    this.#isUrgent = false;
    const nowMs = this.#host.steadyMs();
    this.#lastMs = nowMs;
    let isLeft = false;
    for (const [index, panel] of this.#panels.entries()) {
      if (panel.element.hidden) continue;
      const isDue = nowMs - this.#drawnMs[index]! >= (panel.drawIntervalMs ?? 0);
      if (!isUrgent && !isDue) {
        isLeft = true;
        continue;
      }
      panel.draw();
      this.#drawnMs[index] = nowMs;
    }
    this.#afterAll();
    if (isLeft) this.redraw();
  }
}
