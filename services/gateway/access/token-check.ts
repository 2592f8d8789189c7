import { Buffer } from "node:buffer";
import { quotedText } from "#core/visible-text.ts";
import type { TokenAlgorithm, TokenKey } from "./token-keys.ts";
import type { TokenFacts } from "./principal.ts";

/** What a token must be to be taken. */
export type TokenRules = {
  readonly algorithms: readonly TokenAlgorithm[];
  /** Undefined takes any. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** How far the clock of the issuer may be from ours. */
  readonly leewayMs: number;
  /** From issue to expiry at most; revocations are kept for so long. */
  readonly lifetimeMsMax: number;
  readonly tokenBytesMax: number;
};

/** The head of a token, which nobody has vouched for yet. */
type TokenHead = { readonly algorithm: string; readonly kid: string | undefined };

/** Why a token is not taken. */
export class TokenFault {
  readonly kind: "invalid" | "expired";
  /** For the log and the client: it holds nothing of the token that could be a secret. */
  readonly reason: string;

  constructor(kind: "invalid" | "expired", reason: string) {
    this.kind = kind;
    this.reason = reason;
  }
}

/** The claims of a token whose signature was right. */
export type Claims = Readonly<Record<string, unknown>>;

const invalid = (reason: string): TokenFault => new TokenFault("invalid", reason);

/** Three parts of base64url. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const ID_LENGTH_MAX = 200;

/** Reads what a token says about its signature; nothing of it is believed. */
export function readTokenHead(
  token: string,
  rules: Pick<TokenRules, "algorithms" | "tokenBytesMax">,
): TokenHead | TokenFault {
  if (token.length > rules.tokenBytesMax) {
    return invalid(`it has ${token.length} bytes, more than tokenBytesMax ${rules.tokenBytesMax}`);
  }
  if (!TOKEN.test(token)) return invalid("it is no signed token");
  const head = readJson(token.slice(0, token.indexOf(".")));
  if (head === undefined) return invalid("its header is no JSON object");
  const { alg, kid, crit, b64 } = head;
  if (typeof alg !== "string" || !isOneOf(alg, rules.algorithms)) {
    const text = typeof alg === "string" ? quotedText(alg) : "none";
    return invalid(`its algorithm ${text} is not one of ${rules.algorithms.join(", ")}`);
  }
  if (crit !== undefined || b64 !== undefined) {
    return invalid("its header asks for extensions, and none is known here");
  }
  if (kid !== undefined && (typeof kid !== "string" || kid.length > ID_LENGTH_MAX)) {
    return invalid("its kid is no short text");
  }
  return { algorithm: alg, kid };
}

/** The claims of the token if the key made its signature. */
export async function verifyToken(token: string, key: TokenKey): Promise<Claims | TokenFault> {
  // A gateway without tokens needs nothing of it.
  const { compactVerify } = await import("jose");
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(token, key.key, { algorithms: [key.algorithm] }));
  } catch {
    return invalid("its signature is not that of the key");
  }
  return readObject(Buffer.from(payload).toString("utf8")) ?? invalid("its claims are no object");
}

/** What the claims say, if the token is valid now, for us, and by whom we trust. */
export function checkClaims(
  claims: Claims,
  rules: TokenRules,
  nowMs: number,
): TokenFacts | TokenFault {
  const { issuer, audience, leewayMs, lifetimeMsMax } = rules;
  if (issuer !== undefined && claims["iss"] !== issuer) return invalid("it is from another issuer");
  if (audience !== undefined && !includesText(claims["aud"], audience)) {
    return invalid("it is for another audience");
  }
  const subject = claims["sub"];
  if (!isShortText(subject)) return invalid("it has no sub");
  const jti = claims["jti"];
  if (jti !== undefined && !isShortText(jti)) return invalid("its jti is no short text");
  const expiresAtMs = timeMs(claims["exp"]);
  if (expiresAtMs === undefined) return invalid("it has no exp");
  const issuedAtMs = timeMs(claims["iat"]);
  if (issuedAtMs === undefined && claims["iat"] !== undefined) return invalid("its iat is no time");
  const validFromMs = timeMs(claims["nbf"]);
  if (validFromMs === undefined && claims["nbf"] !== undefined)
    return invalid("its nbf is no time");
  if (expiresAtMs + leewayMs <= nowMs) return new TokenFault("expired", "it has expired");
  for (const fromMs of [validFromMs, issuedAtMs]) {
    if (fromMs !== undefined && fromMs - leewayMs > nowMs) return invalid("it is not valid yet");
  }
  if (expiresAtMs - (issuedAtMs ?? nowMs) > lifetimeMsMax) {
    return invalid(`it lives longer than lifetimeMsMax ${lifetimeMsMax}`);
  }
  const from = typeof claims["iss"] === "string" ? claims["iss"] : "";
  return { issuer: from, subject, jti, issuedAtMs, expiresAtMs };
}

function readJson(part: string): Claims | undefined {
  return readObject(Buffer.from(part, "base64url").toString("utf8"));
}

/** A copy without a prototype, so that no name of a claim reaches anything of ours. */
function readObject(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.assign(Object.create(null) as object, value) as Claims;
  } catch {
    return undefined;
  }
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= ID_LENGTH_MAX;
}

/** Seconds since 1970 as milliseconds; undefined for what is no time of this millennium. */
function timeMs(value: unknown): number | undefined {
  if (typeof value !== "number" || !(value >= 0 && value < 2 ** 40)) return undefined;
  return value * 1_000;
}

function includesText(value: unknown, wanted: string): boolean {
  return value === wanted || (Array.isArray(value) && value.includes(wanted));
}

function isOneOf(text: string, list: readonly string[]): boolean {
  return list.includes(text);
}
