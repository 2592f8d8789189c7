import { BusError } from "#bus/bus.ts";
import { backoffDelayMs, type BackoffLimits } from "@tickwire/proto/model";
import type { Clock } from "#core/clock.ts";

/** The waits between attempts. They begin short, since a server that is starting is soon there. */
const BACKOFF: BackoffLimits = { baseMs: 500, maxMs: 5_000 };

/** How often the wait is reported. */
const REPORT_MS = 10_000;

type ConnectPatientlyOptions<Connection> = {
  readonly connect: () => Promise<Connection>;
  /** From the first attempt on; no attempt begins after it. 0 tries once. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** In [0, 1), for the jitter. */
  readonly random: () => number;
  /** Called after the first failure and then at most every 10 s. */
  readonly onWaiting: (state: { readonly reason: string; readonly leftMs: number }) => void;
};

/**
 * Connects to something that may not have started yet. Rejects with the last failure: at the
 * timeout, or at once if it is not that nobody answers (`connect-failed`).
 */
export async function connectPatiently<Connection>(
  options: ConnectPatientlyOptions<Connection>,
): Promise<Connection> {
  const { connect, timeoutMs, clock, random, onWaiting } = options;
  const startUs = clock.monotonicUs();
  let reportedMs = -REPORT_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== "connect-failed") throw error;
      const elapsedMs = (clock.monotonicUs() - startUs) / 1000;
      const leftMs = timeoutMs - elapsedMs;
      if (leftMs <= 0) throw error;
      if (elapsedMs - reportedMs >= REPORT_MS) {
        reportedMs = elapsedMs;
        onWaiting({ reason: error.message, leftMs: Math.ceil(leftMs) });
      }
      const delayMs = backoffDelayMs({ attempt, limits: BACKOFF, random });
      await new Promise<void>((resolve) => {
        clock.after(Math.min(delayMs, leftMs), resolve);
      });
    }
  }
}
