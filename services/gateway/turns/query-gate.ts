/** Lets at most `inFlightMax` requests run at once; the others wait in order. */
export class QueryGate {
  readonly #inFlightMax: number;
  readonly #onWaiting: (waiting: number) => void;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  /** `onWaiting` hears how many wait, each time that this changes. */
  constructor(inFlightMax: number, onWaiting: (waiting: number) => void = () => {}) {
    this.#inFlightMax = inFlightMax;
    this.#onWaiting = onWaiting;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Runs `request` when there is room. Settles as it does. */
  async run<T>(request: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= this.#inFlightMax) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.#onWaiting(this.#waiting.length);
      });
    } else {
      this.#inFlight += 1;
    }
    try {
      return await request();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed on, so nobody can slip in between.
      if (next === undefined) this.#inFlight -= 1;
      else {
        this.#onWaiting(this.#waiting.length);
        next();
      }
    }
  }
}

/**
 * A gate for each venue: while one venue's ingestor does not answer, its questions wait for one
 * another and not those to the others.
 */
export class VenueGates {
  readonly #inFlightMax: number;
  readonly #onWaiting: (waiting: number) => void;
  readonly #gates = new Map<string, QueryGate>();
  readonly #waitingAt = new Map<string, number>();
  #waiting = 0;

  /** `onWaiting` hears how many wait at all gates, each time that this changes. */
  constructor(inFlightMax: number, onWaiting: (waiting: number) => void) {
    this.#inFlightMax = inFlightMax;
    this.#onWaiting = onWaiting;
  }

  /** The gate of a venue, which is one that the catalog has. */
  of(venue: string): QueryGate {
    let gate = this.#gates.get(venue);
    if (gate === undefined) {
      gate = new QueryGate(this.#inFlightMax, (waiting) => {
        this.#waiting += waiting - (this.#waitingAt.get(venue) ?? 0);
        this.#waitingAt.set(venue, waiting);
        this.#onWaiting(this.#waiting);
      });
      this.#gates.set(venue, gate);
    }
    return gate;
  }
}
