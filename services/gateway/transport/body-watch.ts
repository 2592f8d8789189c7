import type { HttpLimits, RefusalLimit } from "./transport.ts";

/** Looks that are further apart show that the gateway itself stood still in between. */
const LOOKS_APART_MS_MAX = 2_000;

/** A body may start slowly for this long before its rate counts. */
const RATE_GRACE_MS = 5_000;

/** A request whose body is still coming. */
type ArrivingBody = {
  readonly startedAtMs: number;
  readonly receivedBytes: number;
  /** Ends the request: it came too slowly. */
  refuseSlow(limit: RefusalLimit): void;
};

/**
 * Ends requests whose bodies come too slowly: nobody holds memory for long by sending drops. Time
 * in which the gateway itself stood still is nobody's slowness.
 */
export class BodyWatch {
  readonly #limits: Pick<HttpLimits, "bodyTimeoutMs" | "bodyBytesPerSecondMin">;
  /** With the time that was lost before each began. */
  readonly #arriving = new Map<ArrivingBody, number>();
  #lookedAtMs: number | undefined;
  /** Time in which nothing could come, since the watch began. */
  #lostMs = 0;

  constructor(limits: Pick<HttpLimits, "bodyTimeoutMs" | "bodyBytesPerSecondMin">) {
    this.#limits = limits;
  }

  add(body: ArrivingBody): void {
    this.#arriving.set(body, this.#lostMs);
  }

  /** Idempotent. */
  delete(body: ArrivingBody): void {
    this.#arriving.delete(body);
  }

  /** Looks at every body that is still coming. */
  check(nowMs: number): void {
    const { bodyTimeoutMs, bodyBytesPerSecondMin } = this.#limits;
    const apartMs = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = nowMs;
    if (apartMs > LOOKS_APART_MS_MAX) this.#lostMs += apartMs;
    for (const [body, lostBeforeMs] of this.#arriving) {
      const ageMs = nowMs - body.startedAtMs - (this.#lostMs - lostBeforeMs);
      const wantedBytes = (ageMs / 1000) * bodyBytesPerSecondMin;
      if (ageMs >= bodyTimeoutMs) body.refuseSlow("bodyTimeoutMs");
      else if (ageMs >= RATE_GRACE_MS && body.receivedBytes < wantedBytes) {
        body.refuseSlow("bodyBytesPerSecondMin");
      }
    }
  }
}
