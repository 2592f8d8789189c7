/**
 * Who a client is. It is made when the connection is upgraded, travels with the connection into
 * the session, and is what every question about permission is asked of. Nobody proves an identity
 * today, so every client is anonymous.
 */
export type Principal = { readonly kind: "anonymous" };

/** A client that proved nothing about itself. */
export const ANONYMOUS: Principal = { kind: "anonymous" };
