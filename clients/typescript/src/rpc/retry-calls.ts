import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import { RpcError } from "../errors.ts";
import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";
import type { CallInterceptor, InterceptedCall } from "./call-chain.ts";

/** How calls are retried. */
export type RetryOptions = {
  /** Attempts of one call, the first among them. Default 4. */
  readonly attemptsMax?: number | undefined;
  /** Waits between attempts, with full jitter. Default 100 ms to 5 s. */
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /**
   * Retries of all calls together that may be made at once. Each uses one up, and ten calls that
   * succeed bring one back, so that a gateway in trouble is not asked for more than a tenth on top.
   * Default 10.
   */
  readonly budget?: number | undefined;
};

/** What a call that succeeds brings back. */
const BUDGET_PER_SUCCESS = 0.1;

/** A retry that is worth waiting for, and how long. */
type Retry = { readonly delayMs: number };

class Retries {
  readonly #attemptsMax: number;
  readonly #backoff: BackoffOptions;
  readonly #budgetMax: number;
  #budget: number;

  constructor({ attemptsMax = 4, backoff = {}, budget = 10 }: RetryOptions) {
    assertIntegerOption("attemptsMax", attemptsMax, { min: 1, max: 1_000 });
    assertIntegerOption("budget", budget, { min: 0, max: 1_000_000 });
    const waitMs = { min: 1, max: TIMER_MS_MAX };
    assertIntegerOption("backoff.baseMs", backoff.baseMs, waitMs);
    assertIntegerOption("backoff.maxMs", backoff.maxMs, waitMs);
    this.#attemptsMax = attemptsMax;
    this.#backoff = { baseMs: 100, maxMs: 5_000, ...backoff };
    this.#budgetMax = budget;
    this.#budget = budget;
  }

  succeeded(): void {
    this.#budget = Math.min(this.#budgetMax, this.#budget + BUDGET_PER_SUCCESS);
  }

  /** Whether and when the call is to be made again after attempt `attempt`, from 1. */
  next(call: InterceptedCall, error: unknown, attempt: number): Retry | undefined {
    if (!(error instanceof RpcError) || !error.retryable) return undefined;
    // What never left this client did nothing.
    if (!call.method.idempotent && error.sent) return undefined;
    if (attempt >= this.#attemptsMax || this.#budget < 1) return undefined;
    const toldMs = Math.max(0, ...error.details.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    // Those who were told the same come back one after the other.
    const delayMs = toldMs + backoffDelayMs(attempt - 1, this.#backoff, call.random);
    this.#budget -= 1;
    return { delayMs };
  }
}

/** When the call must be over, in microseconds of the client's clock; undefined if never. */
function deadlineOf({ options, clock }: InterceptedCall): number | undefined {
  return options.timeoutMs === undefined ? undefined : clock.nowUs() + options.timeoutMs * 1_000;
}

/** The same call with the time that is left; undefined if that is less than it is to wait. */
function afterWait(
  call: InterceptedCall,
  deadlineUs: number | undefined,
  delayMs: number,
): InterceptedCall | undefined {
  if (deadlineUs === undefined) return call;
  const leftMs = Math.floor((deadlineUs - call.clock.nowUs()) / 1_000 - delayMs);
  return leftMs < 1 ? undefined : { ...call, options: { ...call.options, timeoutMs: leftMs } };
}

/** False if the call was aborted meanwhile. */
function wait({ clock, options }: InterceptedCall, delayMs: number): Promise<boolean> {
  const { signal } = options;
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve(true);
    });
    const stop = () => {
      cancel();
      resolve(false);
    };
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) stop();
  });
}

/**
 * Makes calls again that fail with a retryable error, where the schema says that asking changes
 * nothing: after the time that the gateway names and some more, within the call's deadline, within
 * a budget. A streaming call is made again as long as nothing has come of it.
 */
export function retryCalls(options: RetryOptions = {}): CallInterceptor {
  const retries = new Retries(options);
  /** The call to make again; undefined if it is over. */
  const again = async (
    call: InterceptedCall,
    deadlineUs: number | undefined,
    failed: { readonly error: unknown; readonly attempt: number },
  ): Promise<InterceptedCall | undefined> => {
    const retry = retries.next(call, failed.error, failed.attempt);
    if (retry === undefined) return undefined;
    const later = afterWait(call, deadlineUs, retry.delayMs);
    return later !== undefined && (await wait(call, retry.delayMs)) ? later : undefined;
  };
  return {
    async unary(call, next) {
      const deadlineUs = deadlineOf(call);
      let given = call;
      for (let attempt = 1; ; attempt += 1) {
        try {
          const response = await next(given);
          retries.succeeded();
          return response;
        } catch (error) {
          const later = await again(call, deadlineUs, { error, attempt });
          if (later === undefined) throw error;
          given = later;
        }
      }
    },
    async *stream(call, next) {
      const deadlineUs = deadlineOf(call);
      let given = call;
      for (let attempt = 1; ; attempt += 1) {
        let hasCome = false;
        try {
          for await (const response of next(given)) {
            hasCome = true;
            yield response;
          }
          retries.succeeded();
          return;
        } catch (error) {
          const later = hasCome ? undefined : await again(call, deadlineUs, { error, attempt });
          if (later === undefined) throw error;
          given = later;
        }
      }
    },
  };
}
