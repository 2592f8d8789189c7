import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWK, JWTPayload } from "jose";

/** A pair of keys, with its public part as a set has it. */
export type SigningKey = {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey | Uint8Array;
  readonly publicJwk: JWK;
};

/** A new key for tokens. */
export async function signingKey(algorithm: string, kid = "k1"): Promise<SigningKey> {
  if (algorithm === "HS256") {
    const privateKey = crypto.getRandomValues(new Uint8Array(32));
    const publicJwk = { ...(await exportJWK(privateKey)), kid };
    return { kid, algorithm, privateKey, publicJwk };
  }
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { kid, algorithm, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid } };
}

/** A token with these claims; `head` replaces parts of its header. */
export function signToken(
  { kid, algorithm, privateKey }: SigningKey,
  claims: JWTPayload,
  head: object = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...head }).sign(privateKey);
}
