import { generateKeyPairSync, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { parseSigningKeys, signatureHeaders } from "./signature.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
const BODY = JSON.stringify({ type: "arbitrage.opened", data: { asset: "BTC-USD", text: "é" } });

function headersNow(keys: string): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1_000);
  return signatureHeaders({ id: "msg_1", body: BODY, timestamp }, parseSigningKeys(keys));
}

describe("a signed message", () => {
  test("is accepted by the library of the specification, and not when it was changed", () => {
    const headers = headersNow(SECRET);
    expect(new Webhook(SECRET).verify(BODY, headers)).toEqual(JSON.parse(BODY));
    expect(() => new Webhook(SECRET).verify(`${BODY} `, headers)).toThrow(/signature/i);
    const other = { ...headers, "webhook-id": "msg_2" };
    expect(() => new Webhook(SECRET).verify(BODY, other)).toThrow(/signature/i);
  });

  test("is signed by every key, so that a receiver may have the old one or the new one", () => {
    const headers = headersNow(`${SECRET} ${NEXT_SECRET}`);
    for (const secret of [SECRET, NEXT_SECRET]) {
      expect(new Webhook(secret).verify(BODY, headers)).toEqual(JSON.parse(BODY));
    }
  });

  test.each([32, 64])("is signed with a private key of %i bytes", (bytes) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
    const shared = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    const key = Buffer.concat([seed, shared]).subarray(0, bytes).toString("base64");
    const headers = headersNow(`whsk_${key}`);
    const [version, signature = ""] = headers["webhook-signature"]?.split(",") ?? [];
    expect(version).toBe("v1a");
    const content = Buffer.from(`msg_1.${headers["webhook-timestamp"]}.${BODY}`);
    expect(verify(null, content, publicKey, Buffer.from(signature, "base64"))).toBe(true);
  });
});

test.each([
  ["", "no key"],
  ["secret", "begins with whsec_ or whsk_"],
  [`whsec_${Buffer.alloc(23).toString("base64")}`, "and this one 23"],
  [`whsec_${Buffer.alloc(65).toString("base64")}`, "and this one 65"],
  [`whsk_${Buffer.alloc(31).toString("base64")}`, "and this one 31"],
])("a key like %j is refused, without being repeated", (text, reason) => {
  expect(() => parseSigningKeys(text)).toThrow(reason);
  expect(() => parseSigningKeys(text)).not.toThrow(/AAAA/);
});
