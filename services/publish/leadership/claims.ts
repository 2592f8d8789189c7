import { nextFencingToken } from "#core/fencing-token.ts";

/** What came of asking to lead. */
export type Claim =
  | { readonly kind: "granted"; readonly token: number }
  /** Another one leads, or has just begun to. */
  | { readonly kind: "refused" }
  /** It could not be found out. */
  | { readonly kind: "failed" };

/** How it is decided who of several leads. Nothing here rejects but for a bug of ours. */
export type Claims = {
  /** Whether a lease says who leads, which nobody has to have heard. */
  readonly leased: boolean;
  /** Asks to lead in a term later than `after`, the latest that is known. */
  claim(after: number): Promise<Claim>;
  /** Whether we still lead. */
  renew(): Promise<"held" | "lost" | "failed">;
  /** Looks who leads. `changed` if there was a sign of life of another since it looked last. */
  watch(): Promise<"changed" | "unchanged" | "failed">;
  /** Others may lead from now on. */
  release(): Promise<void>;
};

/** Without leases: whoever hears nobody else leads, and gives way to a later term that it hears. */
export class HeardClaims implements Claims {
  readonly leased = false;

  claim(after: number): Promise<Claim> {
    return Promise.resolve({ kind: "granted", token: nextFencingToken(after) });
  }

  renew(): Promise<"held"> {
    return Promise.resolve("held");
  }

  watch(): Promise<"unchanged"> {
    return Promise.resolve("unchanged");
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}
