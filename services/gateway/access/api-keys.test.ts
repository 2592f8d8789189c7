import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ApiKeys, formatApiKey, hashOfKey } from "./api-keys.ts";

const SECRET = Buffer.alloc(32, 7);
const KEY = formatApiKey("abcdef012345", SECRET);
const stored = { id: "abcdef012345", hash: hashOfKey(KEY), roles: ["all"] };
const keys = new ApiKeys([stored]);

test("a key is found by its whole text and by nothing less", () => {
  expect(keys.find(KEY)).toBe(stored);
  const last = KEY.at(-1) === "A" ? "E" : "A";
  for (const wrong of [
    KEY.slice(0, -1) + last,
    KEY.slice(0, -1),
    `${KEY}A`,
    ` ${KEY}`,
    KEY.toUpperCase(),
    formatApiKey("abcdef012346", SECRET),
    "twk_abcdef012345_",
    "twk___proto__",
    stored.hash,
    "",
  ]) {
    expect([wrong, keys.find(wrong)]).toEqual([wrong, undefined]);
  }
});

test("what is stored is a hash, from which nobody makes the key", () => {
  expect(stored.hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(JSON.stringify(stored)).not.toContain(KEY.slice(17));
});

test("keys are compared in a time that does not depend on what differs", () => {
  // The time itself is too short to be measured here, so the way is looked at.
  const source = readFileSync(new URL("api-keys.ts", import.meta.url), "utf8");
  const find = source.slice(source.indexOf("find(text"));
  expect(find).toContain("timingSafeEqual");
  // A key whose id is unknown is hashed and compared like any other.
  expect(find).toContain("NO_HASH");
  expect(find).not.toMatch(/hash ===|=== .*hash/);
});
