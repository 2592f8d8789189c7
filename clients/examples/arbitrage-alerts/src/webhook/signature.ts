import { createHmac, createPrivateKey, sign, type KeyObject } from "node:crypto";

/** A secret that both sides have (v1), or a private key; the receiver has the public one (v1a). */
export type SigningKey =
  | { readonly kind: "v1"; readonly secret: Buffer }
  | { readonly kind: "v1a"; readonly privateKey: KeyObject };

const SECRET_BYTES = { min: 24, max: 64 };
/** What comes before the 32 bytes of a private key of Ed25519 in its usual encoding, PKCS #8. */
const ED25519_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519_BYTES = 32;

/**
 * Reads keys that are separated by spaces, `whsec_` and `whsk_` with base64 behind, as Standard
 * Webhooks writes them. Several of them sign together, so that one can be replaced.
 * Throws an Error that does not contain them.
 */
export function parseSigningKeys(text: string): SigningKey[] {
  const keys = text.split(/\s+/).filter((part) => part !== "");
  if (keys.length === 0) throw new Error("there is no key to sign with");
  return keys.map(parseSigningKey);
}

function parseSigningKey(text: string): SigningKey {
  const [, kind, base64 = ""] = /^(whsec|whsk)_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, "base64");
  if (kind === "whsec") {
    if (bytes.length < SECRET_BYTES.min || bytes.length > SECRET_BYTES.max) {
      throw new Error(`a whsec_ key has 24 to 64 bytes, and this one ${bytes.length}`);
    }
    return { kind: "v1", secret: bytes };
  }
  if (kind !== "whsk") throw new Error("a key to sign with begins with whsec_ or whsk_");
  // Some write the public key behind the private one.
  if (bytes.length !== ED25519_BYTES && bytes.length !== 2 * ED25519_BYTES) {
    throw new Error(`a whsk_ key has 32 or 64 bytes, and this one ${bytes.length}`);
  }
  const key = Buffer.concat([ED25519_HEAD, bytes.subarray(0, ED25519_BYTES)]);
  return { kind: "v1a", privateKey: createPrivateKey({ key, format: "der", type: "pkcs8" }) };
}

/** The headers that prove who sent a message, and when. `timestamp` is in seconds since 1970. */
export function signatureHeaders(
  message: { readonly id: string; readonly body: string; readonly timestamp: number },
  keys: readonly SigningKey[],
): Record<string, string> {
  const { id, body, timestamp } = message;
  const content = Buffer.from(`${id}.${timestamp}.${body}`);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": keys.map((key) => `${key.kind},${signatureOf(content, key)}`).join(" "),
  };
}

function signatureOf(content: Buffer, key: SigningKey): string {
  if (key.kind === "v1") return createHmac("sha256", key.secret).update(content).digest("base64");
  return sign(null, content, key.privateKey).toString("base64");
}
