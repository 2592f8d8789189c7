import type { Clock } from "#core/clock.ts";
import type { Principal } from "../access/principal.ts";
import { tooExpensive } from "../rpc/work-price.ts";
import type { PrincipalAccounts } from "../session/principal-accounts.ts";
import { TokenBucket } from "../session/rate-limits.ts";
import { addressKey } from "../transport/admission.ts";
import type { TurnLine, Turns } from "../turns/turns.ts";

/** Addresses that are remembered while they ask for nothing; the longest idle is forgotten. */
const IDLE_CALLERS_MAX = 10_000;

type Caller = { readonly line: TurnLine; readonly work: TokenBucket; calls: number };

/** What one call over HTTP has of its client's share. */
type CallShare = {
  readonly line: TurnLine;
  readonly spend: (requests: number) => void;
  /** The call is over. To be called once. */
  readonly end: () => void;
};

type HttpCallersParts = {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly accounts: Pick<PrincipalAccounts, "takeRequests">;
  readonly limits: { readonly requestsPerSecondMax: number };
};

/**
 * Whoever calls over HTTP, by address: all calls of one address are work of one line, so that many
 * calls get no more than one client of a WebSocket gets.
 */
export class HttpCallers {
  readonly #parts: HttpCallersParts;
  readonly #active = new Map<string, Caller>();
  /** The longest idle first. */
  readonly #idle = new Map<string, Caller>();

  constructor(parts: HttpCallersParts) {
    this.#parts = parts;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#active.size + this.#idle.size;
  }

  begin(remoteAddress: string, principal: Principal): CallShare {
    const { clock, limits, accounts } = this.#parts;
    const key = addressKey(remoteAddress);
    const caller = this.#active.get(key) ?? this.#idle.get(key) ?? this.#create();
    this.#idle.delete(key);
    this.#active.set(key, caller);
    caller.calls += 1;
    return {
      line: caller.line,
      spend: (requests) => {
        const nowUs = clock.monotonicUs();
        if (!caller.work.take(requests, nowUs)) throw tooExpensive(limits.requestsPerSecondMax);
        if (accounts.takeRequests(principal, requests, nowUs)) return;
        throw tooExpensive(principal.limits.requestsPerSecondMax ?? 0);
      },
      end: () => this.#end(key, caller),
    };
  }

  #create(): Caller {
    const { turns, clock, limits } = this.#parts;
    const work = new TokenBucket(limits.requestsPerSecondMax, clock.monotonicUs());
    return { line: turns.open(), work, calls: 0 };
  }

  #end(key: string, caller: Caller): void {
    caller.calls -= 1;
    if (caller.calls > 0) return;
    this.#active.delete(key);
    this.#idle.set(key, caller);
    if (this.#idle.size <= IDLE_CALLERS_MAX) return;
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined) this.#idle.delete(oldest);
  }
}
