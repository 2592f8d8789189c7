/** How the gateway's clock stands to the time of this client. */
type ClockOffset = {
  /** Of the ping that it was found by. */
  readonly roundTripUs: number;
  /** What is added to the client's time to have the gateway's. */
  readonly offsetUs: number;
};

/** Pings that are remembered; the quickest of them counts. */
const SAMPLES_MAX = 8;

/**
 * Finds the offset as NTP does: an answer is taken to have been written halfway between ping and
 * pong, and the quickest of the last pings errs least.
 */
export class ClockOffsets {
  readonly #samples: ClockOffset[] = [];

  /** A pong came for a ping of `sentAtUs`, and says what time it was at the gateway. */
  observe(sentAtUs: number, receivedAtUs: number, gatewayTimeUs: number): void {
    const roundTripUs = receivedAtUs - sentAtUs;
    if (roundTripUs < 0 || gatewayTimeUs === 0) return;
    if (this.#samples.length === SAMPLES_MAX) this.#samples.shift();
    const offsetUs = gatewayTimeUs - (sentAtUs + receivedAtUs) / 2;
    this.#samples.push({ roundTripUs, offsetUs });
  }

  /** Another gateway may have another clock. */
  clear(): void {
    this.#samples.length = 0;
  }

  /** Undefined before the first pong. */
  get best(): ClockOffset | undefined {
    let best: ClockOffset | undefined;
    for (const sample of this.#samples) {
      if (best === undefined || sample.roundTripUs <= best.roundTripUs) best = sample;
    }
    return best;
  }
}
