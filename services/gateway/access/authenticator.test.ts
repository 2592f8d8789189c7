import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { exportSPKI, importJWK } from "jose";
import type { CryptoKey } from "jose";
import fc from "fast-check";
import { Registry } from "prom-client";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { signingKey, signToken } from "#test/support/tokens.ts";
import type { SigningKey } from "#test/support/tokens.ts";
import { parseAccessFile } from "./access-file.ts";
import { AccessList } from "./access-list.ts";
import { createAccessMetrics } from "./access-metrics.ts";
import { formatApiKey, hashOfKey } from "./api-keys.ts";
import { Authenticator, isAccessFault } from "./authenticator.ts";
import { KeySource } from "./key-source.ts";
import type { Principal } from "./principal.ts";
import { Revocations } from "./revocations.ts";

const ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"] as const;
const DAY_MS = 86_400_000;
const TRADES = { venue: "binance", symbol: "BTC-USDT", channel: "trades" };

let pairs: Record<(typeof ALGORITHMS)[number], SigningKey>;
let clock: ManualClock;
let revocations: Revocations;
let list: AccessList;
let authenticator: Authenticator;
let nowSeconds: number;
let keySet: SigningKey[];
let keys: KeySource;

beforeAll(async () => {
  const made = await Promise.all(ALGORITHMS.map((name) => signingKey(name, name)));
  pairs = Object.fromEntries(made.map((pair) => [pair.kid, pair])) as typeof pairs;
});

beforeEach(async () => {
  clock = new ManualClock();
  nowSeconds = clock.nowUs() / 1e6;
  revocations = new Revocations({ keptMs: DAY_MS, keptMax: 100 });
  list = listOf({ roles: { trades: { grants: [{ topics: ["*:*/trades"] }] } } });
  keySet = Object.values(pairs);
  keys = new KeySource({
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: createAccessMetrics(new Registry()),
    name: "test",
    origin: "file",
    fetchText: () =>
      Promise.resolve(JSON.stringify({ keys: keySet.map(({ publicJwk }) => publicJwk) })),
    refetchMsMin: 1_000,
    refreshMs: 60_000,
    onKeysGone: () => undefined,
  });
  await keys.refresh();
  authenticator = new Authenticator({
    clock,
    list: () => list,
    revocations,
    tokens: {
      keys,
      algorithms: ALGORITHMS,
      issuer: "https://issuer.example",
      audience: "tickwire",
      leewayMs: 30_000,
      lifetimeMsMax: DAY_MS,
      tokenBytesMax: 4_096,
      rolesClaim: "roles",
      defaultRoles: [],
    },
    anonymousRoles: undefined,
  });
});

function listOf(file: object): AccessList {
  const parsed = parseAccessFile(JSON.stringify(file));
  if (parsed.kind === "broken") throw new Error(parsed.reason);
  return new AccessList(parsed.file);
}

const claims = (more: object = {}) => ({
  iss: "https://issuer.example",
  aud: "tickwire",
  sub: "desk-3",
  jti: "t1",
  iat: nowSeconds - 10,
  exp: nowSeconds + 600,
  roles: ["trades"],
  ...more,
});

const show = (secret: string | undefined) =>
  authenticator.authenticate({ secret, certificate: undefined, remoteAddress: "192.0.2.1" });

/** Who it is, as one line, or why nobody. */
async function verdict(secret: string | undefined): Promise<string> {
  const outcome = await show(secret);
  return isAccessFault(outcome) ? `${outcome.kind}: ${outcome.reason}` : outcome.id;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token", () => {
  test.each(ALGORITHMS)("signed with %s says who its owner is and what he may", async (name) => {
    const who = (await show(await signToken(pairs[name], claims()))) as Principal;
    expect(who.id).toBe("token:desk-3");
    expect(who.may("subscribe", TRADES)).toBeDefined();
    expect(who.may("subscribe", { ...TRADES, channel: "book" })).toBeUndefined();
    expect(who.expiresAtMs).toBe((nowSeconds + 600) * 1_000);
  });

  test.each(["none", "None", "NONE", "nOnE", ""])("with the algorithm %j is none", async (alg) => {
    const head = encode({ alg, typ: "JWT" });
    for (const signature of ["", "AAAA"]) {
      expect(await verdict(`${head}.${encode(claims())}.${signature}`)).toMatch(/^invalid: /);
    }
  });

  test("whose public key was taken for a secret is none", async () => {
    for (const name of ["RS256", "ES256", "EdDSA"] as const) {
      const key = await importJWK(pairs[name].publicJwk, name, { extractable: true });
      const secrets = [await exportSPKI(key as CryptoKey), JSON.stringify(pairs[name].publicJwk)];
      for (const kid of [name, "HS256", undefined]) {
        for (const secret of secrets) {
          const signed = `${encode({ alg: "HS256", kid })}.${encode(claims())}`;
          const signature = createHmac("sha256", secret).update(signed).digest("base64url");
          expect(await verdict(`${signed}.${signature}`)).toMatch(/^invalid: /);
        }
      }
    }
  });

  test("that names another key's algorithm is none", async () => {
    for (const kid of ALGORITHMS) {
      for (const alg of ALGORITHMS) {
        if (kid === alg) continue;
        const token = await signToken(pairs[alg], claims(), { kid });
        expect([kid, alg, await verdict(token)]).toEqual([
          kid,
          alg,
          "invalid: its key is not known here",
        ]);
      }
    }
  });

  test.each<[string, object, string]>([
    ["has expired", { exp: -30 }, "expired: it has expired"],
    ["expired within the leeway", { exp: -29 }, "token:desk-3"],
    ["is not valid yet", { nbf: 31 }, "invalid: it is not valid yet"],
    ["is valid within the leeway", { nbf: 30 }, "token:desk-3"],
    ["was issued in the future", { iat: 31 }, "invalid: it is not valid yet"],
    [
      "lives too long",
      { iat: 0, exp: 86_401 },
      "invalid: it lives longer than lifetimeMsMax 86400000",
    ],
    ["lives as long as it may", { iat: 0, exp: 86_400 }, "token:desk-3"],
  ])("that %s: %o is %s", async (_, times, expected) => {
    const absolute = Object.entries(times).map(([name, at]) => [name, nowSeconds + (at as number)]);
    const token = await signToken(pairs.ES256, claims(Object.fromEntries(absolute)));
    expect(await verdict(token)).toBe(expected);
  });

  test.each<[object, string]>([
    [{ aud: "other" }, "invalid: it is for another audience"],
    [{ aud: ["other", "tickwire"] }, "token:desk-3"],
    [{ aud: ["tickwire.evil"] }, "invalid: it is for another audience"],
    [{ aud: undefined }, "invalid: it is for another audience"],
    [{ aud: { tickwire: 1 } }, "invalid: it is for another audience"],
    [{ iss: "https://evil.example" }, "invalid: it is from another issuer"],
    [{ iss: undefined }, "invalid: it is from another issuer"],
    [{ iss: ["https://issuer.example"] }, "invalid: it is from another issuer"],
    [{ sub: undefined }, "invalid: it has no sub"],
    [{ sub: "" }, "invalid: it has no sub"],
    [{ sub: "x".repeat(201) }, "invalid: it has no sub"],
    [{ exp: undefined }, "invalid: it has no exp"],
    [{ exp: "9999999999" }, "invalid: it has no exp"],
    [{ exp: 1e300 }, "invalid: it has no exp"],
    [{ exp: null }, "invalid: it has no exp"],
    [{ iat: "x" }, "invalid: its iat is no time"],
    [{ nbf: {} }, "invalid: its nbf is no time"],
    [{ jti: 7 }, "invalid: its jti is no short text"],
    [{ roles: { 0: "all" } }, "invalid: what it says of roles is no list"],
    [{ roles: [1] }, "invalid: what it says of roles is no list"],
    [{ tickwire: { grants: "*" } }, "invalid: what it says of roles is no list"],
    [{ kind: "x", reason: "y" }, "token:desk-3"],
  ])("with %o is %s", async (more, expected) => {
    expect(await verdict(await signToken(pairs.EdDSA, claims(more) as never))).toBe(expected);
  });

  test.each<[object, string]>([
    [{ kid: "../../../../dev/null" }, "its key is not known here"],
    [{ kid: "file:///dev/null" }, "its key is not known here"],
    [{ kid: "' OR 1=1 --" }, "its key is not known here"],
    [{ kid: "__proto__" }, "its key is not known here"],
    [{ kid: "x".repeat(200) }, "its key is not known here"],
    [{ kid: "x".repeat(201) }, "its kid is no short text"],
    [{ kid: 7 }, "its kid is no short text"],
    [{ kid: ["ES256"] }, "its kid is no short text"],
    [{ crit: ["exp"] }, "its header asks for extensions, and none is known here"],
    [{ b64: true }, "its header asks for extensions, and none is known here"],
  ])("with the header %o is none: %s", async (head, reason) => {
    const good = await signToken(pairs.ES256, claims());
    const [, payload, signature] = good.split(".");
    const header = encode({ alg: "ES256", ...head });
    expect(await verdict(`${header}.${payload}.${signature}`)).toBe(`invalid: ${reason}`);
  });

  test("that brings its own key is none", async () => {
    const evil = await signingKey("ES256", "ES256");
    for (const head of [{ jwk: evil.publicJwk }, { jku: "https://evil.example" }, { x5u: "x" }]) {
      expect(await verdict(await signToken(evil, claims(), head))).toBe(
        "invalid: its signature is not that of the key",
      );
    }
  });

  test("is none with any one character changed", async () => {
    const token = await signToken(pairs.ES256, claims());
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 2),
        fc.constantFrom("A", "b", "9", "_", "-", "."),
        async (at, other) => {
          if (token[at] === other) return;
          const changed = token.slice(0, at) + other + token.slice(at + 1);
          expect(await verdict(changed)).toMatch(/^invalid: /);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("of any rubbish is none, and costs no exception", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 300 }),
          fc
            .tuple(fc.json(), fc.json(), fc.base64String())
            .map(
              ([head, body, tail]) =>
                `${Buffer.from(head).toString("base64url")}.${Buffer.from(body).toString("base64url")}.${tail}`,
            ),
        ),
        async (text) => {
          expect(await verdict(text)).toMatch(/^invalid/);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    [4_096, /^invalid: its (key|signature)/],
    [4_097, /^invalid: it has 4097 bytes, more than tokenBytesMax 4096/],
  ])("of %i bytes is looked at only if it is short enough", async (bytes, expected) => {
    const head = encode({ alg: "ES256" });
    const token = `${head}.${"A".repeat(bytes - head.length - 3)}.A`;
    expect(token).toHaveLength(bytes);
    expect(await verdict(token)).toMatch(expected);
  });

  test("is taken again without its signature, until its time is over or it is revoked", async () => {
    const token = await signToken(pairs.ES256, claims());
    await show(token);
    const again = show(token);
    expect(again).not.toBeInstanceOf(Promise);
    clock.advance(630_000);
    expect(await verdict(token)).toBe("expired: it has expired");
  });

  test("is checked anew when its key was taken out of the set, however often it was right", async () => {
    const token = await signToken(pairs.ES256, claims());
    expect([await verdict(token), await verdict(token)]).toEqual(["token:desk-3", "token:desk-3"]);
    keySet = [pairs.RS256];
    await keys.refresh();
    expect(await verdict(token)).toBe("invalid: its key is not known here");
    keySet = [pairs.ES256];
    await keys.refresh();
    expect(await verdict(token)).toBe("token:desk-3");
  });

  test("whose key was taken out ends now for whoever is in, and as before if it comes back", async () => {
    const token = await signToken(pairs.ES256, claims());
    const endsInMs = (one: Principal) => (one.expiresAtMs ?? 0) - clock.nowUs() / 1_000;
    let who = (await show(token)) as Principal;
    expect(endsInMs(who)).toBe(600_000);
    keySet = [pairs.RS256];
    await keys.refresh();
    who = authenticator.review(who) as Principal;
    expect([who.id, endsInMs(who)]).toEqual(["token:desk-3", 0]);
    // Another look does not give him more time.
    clock.advance(5_000);
    who = authenticator.review(who) as Principal;
    expect(endsInMs(who)).toBe(-5_000);
    keySet = [pairs.ES256];
    await keys.refresh();
    expect(endsInMs(authenticator.review(who) as Principal)).toBe(595_000);
  });

  test("by a key that was exchanged under its old name is taken", async () => {
    const next = await signingKey("ES256", "ES256");
    expect(await verdict(await signToken(pairs.ES256, claims()))).toBe("token:desk-3");
    keySet = [next];
    clock.advance(1_000);
    expect(await verdict(await signToken(next, claims({ jti: "t2" })))).toBe("token:desk-3");
  });

  test("never makes an administrator of its owner by itself", async () => {
    const own = { grants: [{ topics: ["*:*/*"] }], admin: true };
    const who = (await show(
      await signToken(pairs.ES256, claims({ tickwire: own, roles: undefined }) as never),
    )) as Principal;
    expect(who.mayAdminister).toBe(false);
    expect(who.may("subscribe", TRADES)).toBeDefined();
  });

  test("whose roles nobody defined permits nothing", async () => {
    for (const roles of [["none"], [], ["toString"], ["__proto__"], ["trades all"]]) {
      const who = (await show(await signToken(pairs.ES256, claims({ roles })))) as Principal;
      expect(who.may("subscribe", TRADES)).toBeUndefined();
    }
  });
});

describe("a revoked", () => {
  test("token is none, by its own id or by its subject's", async () => {
    const token = await signToken(pairs.ES256, claims());
    expect(await verdict(token)).toBe("token:desk-3");
    revocations.add({ kind: "jti", id: "other" }, 0);
    expect(await verdict(token)).toBe("token:desk-3");
    revocations.add({ kind: "jti", id: "t1" }, 0);
    expect(await verdict(token)).toBe("revoked: the token is not valid any more");
    const next = await signToken(pairs.ES256, claims({ jti: "t2" }));
    expect(await verdict(next)).toBe("token:desk-3");
    const issuedBeforeMs = (nowSeconds - 10) * 1_000;
    revocations.add({ kind: "sub", id: "desk-3", issuedBeforeMs }, 0);
    expect(await verdict(next)).toMatch(/^revoked/);
    const newer = await signToken(pairs.ES256, claims({ jti: "t3", iat: nowSeconds - 9 }));
    expect(await verdict(newer)).toBe("token:desk-3");
    const undated = await signToken(pairs.ES256, claims({ jti: "t4", iat: undefined }) as never);
    expect(await verdict(undated)).toMatch(/^revoked/);
  });

  test("token of the file is none", async () => {
    const token = await signToken(pairs.ES256, claims());
    list = listOf({ revoked: [{ jti: "t1" }] });
    expect(await verdict(token)).toMatch(/^revoked/);
    const issuedBefore = new Date(clock.nowUs() / 1_000).toISOString();
    list = listOf({ revoked: [{ sub: "desk-3", issuedBefore }] });
    expect(await verdict(token)).toMatch(/^revoked/);
  });

  test("key is none, and neither is one whose time is over", async () => {
    const key = formatApiKey("abcdef012345", Buffer.alloc(32, 1));
    const stored = { id: "abcdef012345", hash: hashOfKey(key), roles: ["all"] };
    list = listOf({ keys: [stored] });
    const who = (await show(key)) as Principal;
    expect(who.id).toBe("key:abcdef012345");
    list = listOf({ keys: [{ ...stored, revokedTime: "2020-01-01T00:00:00Z" }] });
    expect(await verdict(key)).toMatch(/^revoked/);
    expect(authenticator.review(who)).toMatchObject({ kind: "revoked" });
    list = listOf({ keys: [{ ...stored, expiresTime: "2020-01-01T00:00:00Z" }] });
    expect(await verdict(key)).toMatch(/^expired/);
    list = listOf({ keys: [] });
    expect(await verdict(key)).toBe("invalid: the key is not known here");
    list = listOf({ keys: [stored] });
    revocations.add({ kind: "key", id: "abcdef012345" }, 0);
    expect(await verdict(key)).toMatch(/^revoked/);
  });
});

test("nobody is who shows nothing where proof is asked for", async () => {
  const who = (await show(undefined)) as Principal;
  expect([who.id, who.isNobody, who.may("subscribe", TRADES)]).toEqual(["nobody", true, undefined]);
});

test("a certificate is known by one of its names, to the letter", () => {
  list = listOf({ certificates: [{ name: "DNS:desk-3.example", roles: ["all"] }] });
  const of = (...names: string[]) =>
    authenticator.authenticate({ secret: undefined, certificate: { names }, remoteAddress: "" });
  expect(of("CN=x", "DNS:desk-3.example")).toMatchObject({ id: "certificate:DNS:desk-3.example" });
  expect(of("CN=DNS:desk-3.example")).toMatchObject({ kind: "invalid" });
  expect(of()).toMatchObject({ kind: "invalid" });
});
