import { exportJWK } from "jose";
import { describe, expect, test } from "vitest";
import { signingKey } from "#test/support/tokens.ts";
import { readKeySet } from "./token-keys.ts";

const setOf = (...keys: object[]) => JSON.stringify({ keys });

async function keysOf(text: string, origin: "file" | "url" = "file") {
  const set = await readKeySet(text, origin);
  if (set.kind === "broken") throw new Error(set.reason);
  return set.keys;
}

describe("a key set", () => {
  test("binds each key to the one algorithm that its type is for", async () => {
    const pairs = await Promise.all(
      ["HS256", "RS256", "ES256", "EdDSA"].map((name) => signingKey(name, name)),
    );
    const keys = await keysOf(setOf(...pairs.map(({ publicJwk }) => publicJwk)));
    for (const { kid } of pairs) {
      for (const algorithm of ["HS256", "RS256", "ES256", "EdDSA", "none", "RS512"]) {
        expect(keys.find(kid, algorithm)?.kid).toBe(kid === algorithm ? kid : undefined);
      }
    }
  });

  test("takes no word of the key for another algorithm than its type's", async () => {
    const rsa = await signingKey("RS256");
    for (const alg of ["HS256", "RS512", "none", "PS256"]) {
      expect(await readKeySet(setOf({ ...rsa.publicJwk, alg }), "file")).toMatchObject({
        kind: "broken",
      });
    }
  });

  test("leaves out keys for other purposes, and the private part of those that have one", async () => {
    const rsa = await signingKey("RS256");
    const other = await signingKey("ES256", "k2");
    const set = setOf({ ...rsa.publicJwk, use: "enc" }, await exportJWK(other.privateKey));
    const keys = await keysOf(set);
    expect(keys.size).toBe(1);
    const key = keys.find(undefined, "ES256")?.key;
    expect(key).toMatchObject({ type: "public" });
  });

  test("from an address holds no secrets, and from a file none that is short", async () => {
    const secret = await signingKey("HS256");
    expect(await readKeySet(setOf(secret.publicJwk), "url")).toMatchObject({ kind: "broken" });
    expect(await readKeySet(setOf(secret.publicJwk), "file")).toMatchObject({ kind: "keys" });
    const short = { kty: "oct", k: Buffer.alloc(31, 1).toString("base64url") };
    expect(await readKeySet(setOf(short), "file")).toMatchObject({
      reason: expect.stringContaining("31 bytes"),
    });
  });

  test.each([
    "",
    "{}",
    "[]",
    "null",
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[null]}',
    '{"keys":[7]}',
  ])("that is %s is broken", async (text) =>
    expect(await readKeySet(text, "file")).toMatchObject({ kind: "broken" }),
  );

  test("has at most 100 keys", async () => {
    const secret = await signingKey("HS256");
    const many = (count: number) =>
      setOf(
        ...Array.from({ length: count }, (_, index) => ({ ...secret.publicJwk, kid: `${index}` })),
      );
    expect((await keysOf(many(100))).size).toBe(100);
    expect(await readKeySet(many(101), "file")).toMatchObject({ kind: "broken" });
  });

  test("is not named by what it holds when it is broken", async () => {
    const secret = await signingKey("HS256");
    const text = `${setOf(secret.publicJwk)}x`;
    const set = await readKeySet(text, "file");
    expect(JSON.stringify(set)).not.toContain(String(secret.publicJwk.k).slice(0, 8));
  });
});

test("a token without a kid is checked if only one key can be meant", async () => {
  const [one, two] = [await signingKey("ES256", "a"), await signingKey("ES256", "b")];
  expect((await keysOf(setOf(one.publicJwk))).find(undefined, "ES256")?.kid).toBe("a");
  const both = await keysOf(setOf(one.publicJwk, two.publicJwk));
  expect(both.find(undefined, "ES256")).toBeUndefined();
  expect(both.find("../../etc/passwd", "ES256")).toBeUndefined();
  expect(both.find("__proto__", "ES256")).toBeUndefined();
});
