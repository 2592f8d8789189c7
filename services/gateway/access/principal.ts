import type { AskedPattern, NamedTopic, Overlap } from "./grant-pattern.ts";
import type { Action, Role } from "./access-file.ts";
import type { PrincipalLimits, Rights, Terms } from "./rights.ts";

/** How somebody proved who he is. */
type PrincipalKind = "anonymous" | "nobody" | "api-key" | "token" | "certificate";

/** What a token said about itself, by which it is refreshed and revoked. */
export type TokenFacts = {
  readonly issuer: string;
  readonly subject: string;
  readonly jti: string | undefined;
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
};

/** What a principal is made of. */
type PrincipalParts = {
  readonly kind: PrincipalKind;
  /** Names him in logs, metrics and limits, the same from day to day. Never a secret. */
  readonly id: string;
  readonly rights: Rights;
  /** By the wall clock; undefined never ends. */
  readonly expiresAtMs?: number | undefined;
  /** Names of roles, as far as he has them by name, so that they can be read anew. */
  readonly roles?: readonly string[];
  /** A role of his own, which a token carries. */
  readonly ownRole?: Role | undefined;
  readonly keyId?: string;
  readonly token?: TokenFacts;
  /** The print of the key that signed the token. */
  readonly signer?: string | undefined;
};

/**
 * Who a client is, and what it may. It is made when the client has proved who it is, at the upgrade
 * or in its Hello, and is the only thing that anybody asks about permission. It never changes: who
 * proves something else, or whose roles change, becomes another principal.
 */
export class Principal {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly expiresAtMs: number | undefined;
  readonly roles: readonly string[];
  readonly ownRole: Role | undefined;
  readonly keyId: string | undefined;
  readonly token: TokenFacts | undefined;
  readonly signer: string | undefined;
  readonly #rights: Rights;

  constructor(parts: PrincipalParts) {
    this.kind = parts.kind;
    this.id = parts.id;
    this.expiresAtMs = parts.expiresAtMs;
    this.roles = parts.roles ?? [];
    this.ownRole = parts.ownRole;
    this.keyId = parts.keyId;
    this.token = parts.token;
    this.signer = parts.signer;
    this.#rights = parts.rights;
  }

  /** True for somebody who has proved nothing where proof is asked for. */
  get isNobody(): boolean {
    return this.kind === "nobody";
  }

  get limits(): PrincipalLimits {
    return this.#rights.limits;
  }

  /** Whether he may see the inside of the gateway. */
  get mayAdminister(): boolean {
    return this.#rights.isAdmin;
  }

  /** In what way he may have the topic; undefined if not at all. */
  may(action: Action, topic: NamedTopic): Terms | undefined {
    return this.#rights.termsOf(action, topic);
  }

  /** How much of a pattern he may have, by his rights alone. */
  overlapOf(action: Action, asked: AskedPattern): Overlap {
    return this.#rights.overlapOf(action, asked);
  }

  /** Whether he may call the method, by its name without the service: `GetSnapshot`. */
  mayCall(method: string): boolean {
    return this.#rights.mayCall(method);
  }
}
