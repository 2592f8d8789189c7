/** Whom the gateway takes a client for. Nobody is asked who they are, so everybody is anonymous. */
export type Principal = { readonly kind: "anonymous" };

export const ANONYMOUS: Principal = { kind: "anonymous" };
