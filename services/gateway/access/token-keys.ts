import type { CryptoKey, JWK } from "jose";
import { foreignMessage, quotedText } from "#core/visible-text.ts";

/** The algorithms that tokens may be signed with. */
export const TOKEN_ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Keys of one set. */
const KEYS_MAX = 100;
const KID_LENGTH_MAX = 200;
/** A shorter secret can be guessed from one token; RFC 7518 asks for as many bits as the hash. */
const SECRET_BYTES_MIN = 32;

/** A key with the one algorithm that it is good for. */
export type TokenKey = {
  readonly kid: string | undefined;
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey | Uint8Array;
  /** Names the key by what it is, whatever the set calls it; of a secret it tells nothing. */
  readonly print: string;
};

/** Where a set comes from: secrets that were published are none. */
type KeySetOrigin = "file" | "url";

/** The keys of a set by what a token says about its own. */
export class TokenKeys {
  readonly #keys: readonly TokenKey[];
  readonly #prints: ReadonlySet<string>;

  constructor(keys: readonly TokenKey[]) {
    this.#keys = keys;
    this.#prints = new Set(keys.map(({ print }) => print));
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Whether a key of this print is in the set. */
  has(print: string): boolean {
    return this.#prints.has(print);
  }

  /** Whether every key of another set is in this one too. */
  hasAllOf(others: TokenKeys): boolean {
    return others.#keys.every(({ print }) => this.has(print));
  }

  /**
   * The key that a token is to be checked with. It has the algorithm that the token names, by what
   * the key itself is: no header makes a public key a secret, or a signature needless. A token
   * that names no key is checked if only one can be meant.
   */
  find(kid: string | undefined, algorithm: string): TokenKey | undefined {
    const fitting = this.#keys.filter((key) => key.algorithm === algorithm);
    if (kid !== undefined) return fitting.find((key) => key.kid === kid);
    return fitting.length === 1 ? fitting[0] : undefined;
  }
}

/** The keys of a JSON Web Key Set, or what is wrong with it. Others than ours are left out. */
export async function readKeySet(
  text: string,
  origin: KeySetOrigin,
): Promise<
  | { readonly kind: "keys"; readonly keys: TokenKeys }
  | { readonly kind: "broken"; readonly reason: string }
> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser quotes may be part of a key.
    return { kind: "broken", reason: "it is not JSON" };
  }
  const list = (value as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) return { kind: "broken", reason: "it has no list of keys" };
  if (list.length > KEYS_MAX) {
    return { kind: "broken", reason: `its ${list.length} keys exceed ${KEYS_MAX}` };
  }
  const keys: TokenKey[] = [];
  for (const [index, jwk] of (list as readonly unknown[]).entries()) {
    if (typeof jwk !== "object" || jwk === null) {
      return { kind: "broken", reason: `keys.${index} is no key` };
    }
    const read = await readKey(jwk, origin);
    if (typeof read === "string") return { kind: "broken", reason: `keys.${index} ${read}` };
    if (read !== undefined) keys.push(read);
  }
  if (keys.length === 0) return { kind: "broken", reason: "it has no key that tokens can have" };
  return { kind: "keys", keys: new TokenKeys(keys) };
}

/** The key, undefined if it is for something else, or what is wrong with it. */
async function readKey(jwk: JWK, origin: KeySetOrigin): Promise<TokenKey | string | undefined> {
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined) return undefined;
  if (jwk.use !== undefined && jwk.use !== "sig") return undefined;
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes("verify")) return undefined;
  // A set may say that a key is for an algorithm that we do not take, such as RS512.
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !isEd25519(jwk)) return undefined;
  const { kid } = jwk;
  if (kid !== undefined && (typeof kid !== "string" || kid.length > KID_LENGTH_MAX)) {
    return `has a kid that is no text of at most ${KID_LENGTH_MAX} characters`;
  }
  if (algorithm === "HS256" && origin === "url") {
    return "is a secret, which is none any more at an address that answers everybody";
  }
  const { calculateJwkThumbprint, importJWK } = await import("jose");
  try {
    const part = publicPartOf(jwk);
    const key = await importJWK(part, algorithm);
    if (key instanceof Uint8Array && key.byteLength < SECRET_BYTES_MIN) {
      return `is a secret of ${key.byteLength} bytes, fewer than ${SECRET_BYTES_MIN}`;
    }
    return { kid, algorithm, key, print: await calculateJwkThumbprint(part) };
  } catch (error) {
    return `(${quotedText(String(jwk.kty))}) cannot be read: ${foreignMessage((error as Error).message)}`;
  }
}

/** The one algorithm that a key of this type is used with. */
function algorithmOf({ kty, crv }: JWK): TokenAlgorithm | undefined {
  if (kty === "oct") return "HS256";
  if (kty === "RSA") return "RS256";
  if (kty === "EC" && crv === "P-256") return "ES256";
  return kty === "OKP" && crv === "Ed25519" ? "EdDSA" : undefined;
}

function isEd25519({ crv, alg }: JWK): boolean {
  return crv === "Ed25519" && alg === "Ed25519";
}

/** Whoever put a private key into the set by mistake gets its public part used, and no more. */
function publicPartOf(jwk: JWK): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, oth: _oth, key_ops: _o, ...rest } = jwk;
  return rest as JWK;
}
