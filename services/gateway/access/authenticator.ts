import { createHash } from "node:crypto";
import type { Clock } from "#core/clock.ts";
import { quotedText } from "#core/visible-text.ts";
import { roleSchema } from "./access-file.ts";
import type { Role } from "./access-file.ts";
import { expiryMs, hasExpired, isRevoked } from "./access-list.ts";
import type { AccessList } from "./access-list.ts";
import { isApiKey } from "./api-keys.ts";
import type { Credentials } from "./credentials.ts";
import type { KeySource } from "./key-source.ts";
import { Principal } from "./principal.ts";
import type { TokenFacts } from "./principal.ts";
import type { Revocations } from "./revocations.ts";
import { checkClaims, readTokenHead, TokenFault, verifyToken } from "./token-check.ts";
import type { Claims, TokenRules } from "./token-check.ts";
import type { TokenKey } from "./token-keys.ts";

/** Why a client is not who it says it is, or not any more. */
export type AccessFault = {
  readonly kind: "invalid" | "expired" | "revoked" | "unavailable";
  /** For the log and the client: it holds no secret. */
  readonly reason: string;
};

/** Who a client is, or why that is not known. */
export type Authentication = Principal | AccessFault;

/** How tokens are read, where they are taken at all. */
type TokenSettings = TokenRules & {
  readonly keys: KeySource;
  /** The claim that names roles. */
  readonly rolesClaim: string;
  /** For tokens that name none. */
  readonly defaultRoles: readonly string[];
};

type AuthenticatorParts = {
  readonly clock: Clock;
  readonly list: () => AccessList;
  readonly revocations: Revocations;
  /** Undefined: tokens are not taken. */
  readonly tokens: TokenSettings | undefined;
  /** For whoever shows nothing; undefined if everybody has to prove who he is. */
  readonly anonymousRoles: readonly string[] | undefined;
};

const KEY_UNKNOWN: AccessFault = { kind: "invalid", reason: "the key is not known here" };
const KEY_REVOKED: AccessFault = { kind: "revoked", reason: "the key is not valid any more" };

/** Signatures that are checked at once; more are answered that it is to be tried again. */
const CHECKS_MAX = 256;
/** Tokens whose signatures were checked and need not be again. */
const CHECKED_KEPT_MAX = 10_000;
const ROLES_MAX = 100;
/** The claim in which a token carries a role of its own. */
const OWN_ROLE_CLAIM = "tickwire";

/** Tells who a client is by what it shows. A secret goes before a certificate. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  /** By the hash of the token, so that no secret is kept. */
  readonly #checked = new Map<string, Principal>();
  #checks = 0;
  #anybody: { readonly list: AccessList; readonly principal: Principal } | undefined;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /**
   * Who that is. It is known at once, but for a token that was not seen before: its signature is
   * checked elsewhere. Never rejects.
   */
  authenticate({ secret, certificate }: Credentials): Authentication | Promise<Authentication> {
    const list = this.#parts.list();
    if (secret !== undefined) {
      return isApiKey(secret) ? this.#byKey(list, secret) : this.#byToken(secret);
    }
    if (certificate !== undefined) {
      const known = list.certificate(certificate.names);
      if (known === undefined) {
        const name = quotedText(certificate.names[0] ?? "");
        return { kind: "invalid", reason: `the certificate of ${name} is not known here` };
      }
      const { name, roles } = known;
      const rights = list.rightsOf(roles);
      return new Principal({ kind: "certificate", id: `certificate:${name}`, rights, roles });
    }
    return this.#unproved(list);
  }

  /** Whoever shows nothing: the same one for all of them, as long as roles are what they are. */
  #unproved(list: AccessList): Principal {
    if (this.#anybody?.list === list) return this.#anybody.principal;
    const { anonymousRoles } = this.#parts;
    const roles = anonymousRoles ?? [];
    const rights = list.rightsOf(roles);
    const kind = anonymousRoles === undefined ? "nobody" : "anonymous";
    const principal = new Principal({ kind, id: kind, rights, roles });
    this.#anybody = { list, principal };
    return principal;
  }

  /** What has become of somebody who was let in: he, with his rights of now, or why not. */
  review(principal: Principal): Authentication {
    const list = this.#parts.list();
    const { kind, id, roles, ownRole, keyId, token, signer } = principal;
    if (kind === "anonymous" || kind === "nobody") return this.#unproved(list);
    if (keyId !== undefined) {
      const stored = list.keys.get(keyId);
      if (stored === undefined || isRevoked(stored) || this.#parts.revocations.hasKey(keyId)) {
        return KEY_REVOKED;
      }
      return this.#ofKey(list, stored);
    }
    if (token !== undefined && this.#isTokenRevoked(list, token)) {
      return { kind: "revoked", reason: "the token is not valid any more" };
    }
    let names = roles;
    if (kind === "certificate") {
      const known = list.certificate([id.slice("certificate:".length)]);
      if (known === undefined) {
        return { kind: "revoked", reason: "the certificate is not known here any more" };
      }
      names = known.roles;
    }
    const rights = list.rightsOf(names, ownRole);
    const expiresAtMs = this.#endOf(principal);
    const proof = { signer, ...hold(token) };
    return new Principal({ kind, id, rights, roles: names, ownRole, expiresAtMs, ...proof });
  }

  /**
   * When somebody's access ends by itself. A token whose key was taken out of the set ends now, as
   * if its time were over, so that its owner can show one by another key. If the key comes back,
   * the time of the token counts again.
   */
  #endOf({ signer, token, expiresAtMs }: Principal): number | undefined {
    if (signer === undefined) return expiresAtMs;
    if (this.#signs(signer)) return token?.expiresAtMs;
    return Math.min(expiresAtMs ?? Number.POSITIVE_INFINITY, this.#nowMs);
  }

  #signs(signer: string | undefined): boolean {
    return signer !== undefined && this.#parts.tokens?.keys.has(signer) === true;
  }

  #byKey(list: AccessList, secret: string): Authentication {
    const stored = list.keys.find(secret);
    if (stored === undefined) {
      // Whoever has a key that was taken out hears the same as those who were in with it.
      return list.formerKeys.find(secret) === undefined ? KEY_UNKNOWN : KEY_REVOKED;
    }
    if (isRevoked(stored) || this.#parts.revocations.hasKey(stored.id)) return KEY_REVOKED;
    if (hasExpired(stored, this.#nowMs)) return { kind: "expired", reason: "the key has expired" };
    return this.#ofKey(list, stored);
  }

  #ofKey(list: AccessList, stored: NonNullable<ReturnType<AccessList["keys"]["get"]>>): Principal {
    const { id, roles } = stored;
    return new Principal({
      kind: "api-key",
      id: `key:${id}`,
      rights: list.rightsOf(roles),
      roles,
      keyId: id,
      expiresAtMs: expiryMs(stored),
    });
  }

  #byToken(token: string): Authentication | Promise<Authentication> {
    const { tokens } = this.#parts;
    if (tokens === undefined) return { kind: "invalid", reason: "no tokens are taken here" };
    const head = readTokenHead(token, tokens);
    if (head instanceof TokenFault) return head;
    const hash = createHash("sha256").update(token, "utf8").digest("base64url");
    const known = this.#checked.get(hash);
    if (known?.token !== undefined) {
      const isOver = known.token.expiresAtMs + tokens.leewayMs <= this.#nowMs;
      if (!isOver && this.#signs(known.signer)) return this.review(known);
      this.#checked.delete(hash);
    }
    if (this.#checks >= CHECKS_MAX) {
      return { kind: "unavailable", reason: "too many tokens are being checked; try again" };
    }
    this.#checks += 1;
    return this.#check(token, hash, head, tokens).finally(() => {
      this.#checks -= 1;
    });
  }

  async #check(
    token: string,
    hash: string,
    { kid, algorithm }: { readonly kid: string | undefined; readonly algorithm: string },
    tokens: TokenSettings,
  ): Promise<Authentication> {
    const key = await tokens.keys.find(kid, algorithm);
    if (key === undefined) {
      return tokens.keys.hasKeys
        ? { kind: "invalid", reason: "its key is not known here" }
        : { kind: "unavailable", reason: "the keys of tokens are not known yet; try again" };
    }
    const verified = await this.#verify(token, key, tokens);
    if (verified instanceof TokenFault) return verified;
    const { claims, signer } = verified;
    const facts = checkClaims(claims, tokens, this.#nowMs);
    if (facts instanceof TokenFault) return facts;
    const list = this.#parts.list();
    if (this.#isTokenRevoked(list, facts)) {
      return { kind: "revoked", reason: "the token is not valid any more" };
    }
    const read = readRoles(claims, tokens);
    if (read === undefined) return { kind: "invalid", reason: "what it says of roles is no list" };
    const { roles, ownRole } = read;
    const principal = new Principal({
      kind: "token",
      id: `token:${facts.subject}`,
      rights: list.rightsOf(roles, ownRole),
      roles,
      ownRole,
      token: facts,
      signer,
      expiresAtMs: facts.expiresAtMs,
    });
    this.#keep(hash, principal);
    return principal;
  }

  /** What the token says, and whose signature it has: of the key, or of one that came for it. */
  async #verify(
    token: string,
    key: TokenKey,
    { keys }: TokenSettings,
  ): Promise<{ readonly claims: Claims; readonly signer: string } | TokenFault> {
    const claims = await verifyToken(token, key);
    if (!(claims instanceof TokenFault)) return { claims, signer: key.print };
    const other = await keys.findInsteadOf(key);
    if (other === undefined) return claims;
    const again = await verifyToken(token, other);
    return again instanceof TokenFault ? again : { claims: again, signer: other.print };
  }

  #keep(hash: string, principal: Principal): void {
    if (this.#checked.size >= CHECKED_KEPT_MAX) {
      const [oldest = ""] = this.#checked.keys();
      this.#checked.delete(oldest);
    }
    this.#checked.set(hash, principal);
  }

  #isTokenRevoked(list: AccessList, token: TokenFacts): boolean {
    return list.revokesToken(token) || this.#parts.revocations.hasToken(token);
  }

  get #nowMs(): number {
    return this.#parts.clock.nowUs() / 1_000;
  }
}

/** Whether the client is not who it says it is. */
export function isAccessFault(outcome: Authentication): outcome is AccessFault {
  return !(outcome instanceof Principal);
}

function hold(token: TokenFacts | undefined) {
  return token === undefined ? {} : { token };
}

/** The roles that a token names, and the one that it carries; undefined if they cannot be read. */
function readRoles(
  claims: Claims,
  { rolesClaim, defaultRoles }: TokenSettings,
): { readonly roles: readonly string[]; readonly ownRole: Role | undefined } | undefined {
  const named = claims[rolesClaim];
  const own = claims[OWN_ROLE_CLAIM];
  const role = own === undefined ? undefined : roleSchema.safeParse(own);
  if (role?.success === false) return undefined;
  // Only the operator makes administrators, by a role that the file defines.
  const ownRole = role === undefined ? undefined : { ...role.data, admin: false };
  if (named === undefined) return { roles: own === undefined ? defaultRoles : [], ownRole };
  const roles: unknown = typeof named === "string" ? named.split(" ") : named;
  if (!Array.isArray(roles) || roles.length > ROLES_MAX) return undefined;
  if (!roles.every((name): name is string => typeof name === "string")) return undefined;
  return { roles, ownRole };
}
