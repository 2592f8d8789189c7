/** Answers that are remembered; the quickest of them errs least. */
const SAMPLES_MAX = 8;
/** Clocks drift apart by less between two answers; what differs by more was set, or slept. */
const DRIFT_MS_MAX = 50;

type Host = {
  /** A clock that is never set; only differences matter. */
  readonly steadyMs: () => number;
  /** What the browser takes for the time, which may be wrong. */
  readonly browserMs: () => number;
};
type Sample = { readonly offsetMs: number; readonly errorMsMax: number };

/**
 * The gateway's time. A browser's clock may be wrong by hours, and may be set while the page is
 * open: times that the gateway tells are compared with its own clock, and lengths of time are
 * measured by one that nobody sets.
 */
export class GatewayClock {
  readonly #host: Host;
  readonly #samples: Sample[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** The gateway has told its time. */
  get isKnown(): boolean {
    return this.#samples.length > 0;
  }

  /** Milliseconds since 1970; until the gateway has told them, as the browser has them. */
  nowMs(): number {
    let best: Sample | undefined;
    for (const sample of this.#samples)
      if (best === undefined || sample.errorMsMax <= best.errorMsMax) best = sample;
    return best === undefined ? this.#host.browserMs() : this.#host.steadyMs() + best.offsetMs;
  }

  /** The answer to a question that was asked at `askedMs` of the steady clock has come. */
  observe({ askedMs, gatewayMs }: { readonly askedMs: number; readonly gatewayMs: number }): void {
    const answeredMs = this.#host.steadyMs();
    const sample = {
      offsetMs: gatewayMs - (askedMs + answeredMs) / 2,
      errorMsMax: (answeredMs - askedMs) / 2,
    };
    // Another gateway has another clock, and some machines stop the steady one while they sleep.
    const contradicts = this.#samples.some(
      ({ offsetMs, errorMsMax }) =>
        Math.abs(offsetMs - sample.offsetMs) > errorMsMax + sample.errorMsMax + DRIFT_MS_MAX,
    );
    if (contradicts) this.#samples.length = 0;
    if (this.#samples.length === SAMPLES_MAX) this.#samples.shift();
    this.#samples.push(sample);
  }
}
