import type { HttpLimits, RefusalLimit } from "./transport.ts";

/** A body may start slowly for this long before its rate counts. */
const RATE_GRACE_MS = 5_000;

/** A request whose body is still coming. */
type ArrivingBody = {
  readonly startedAtMs: number;
  readonly receivedBytes: number;
  /** Ends the request: it came too slowly. */
  refuseSlow(limit: RefusalLimit): void;
};

/** Ends requests whose bodies come too slowly: nobody holds memory for long by sending drops. */
export class BodyWatch {
  readonly #limits: Pick<HttpLimits, "bodyTimeoutMs" | "bodyBytesPerSecondMin">;
  readonly #arriving = new Set<ArrivingBody>();

  constructor(limits: Pick<HttpLimits, "bodyTimeoutMs" | "bodyBytesPerSecondMin">) {
    this.#limits = limits;
  }

  add(body: ArrivingBody): void {
    this.#arriving.add(body);
  }

  /** Idempotent. */
  delete(body: ArrivingBody): void {
    this.#arriving.delete(body);
  }

  /** Looks at every body that is still coming. */
  check(nowMs: number): void {
    const { bodyTimeoutMs, bodyBytesPerSecondMin } = this.#limits;
    for (const body of this.#arriving) {
      const ageMs = nowMs - body.startedAtMs;
      const wantedBytes = (ageMs / 1000) * bodyBytesPerSecondMin;
      if (ageMs >= bodyTimeoutMs) body.refuseSlow("bodyTimeoutMs");
      else if (ageMs >= RATE_GRACE_MS && body.receivedBytes < wantedBytes) {
        body.refuseSlow("bodyBytesPerSecondMin");
      }
    }
  }
}
