import { expect, test } from "vitest";
import { gatewayConfig, gatewayConfigSchema } from "./config.ts";

test("nothing given is a whole configuration for this machine only", () => {
  const config = gatewayConfig();
  expect(config).toMatchObject({ host: "127.0.0.1", port: 8080, transport: "auto" });
  expect(Object.isFrozen(config)).toBe(true);
});

test("every bad key is named at once", () => {
  const parsed = gatewayConfigSchema.safeParse({ prot: 1, port: 65_536, idleTimeoutMs: 7_999 });
  const text = JSON.stringify(parsed.error?.issues);
  for (const key of ["prot", "port", "idleTimeoutMs"]) expect(text).toContain(key);
});

test.each([
  ["idleTimeoutMs", 8_000, 7_999],
  ["idleTimeoutMs", 960_000, 960_001],
  ["frameBytesMax", 1, 0],
  ["outboundBytesMax", 1_048_576, 1_048_575],
  ["callTimeoutMs", 60_000, 60_001],
  ["lagNoticeMs", 29_999, 30_000],
  ["subscriptionsMax", 9_999, 10_000],
])("%s may be %i and not %i", (key, good, bad) => {
  expect(gatewayConfigSchema.safeParse({ [key]: good }).success).toBe(true);
  expect(gatewayConfigSchema.safeParse({ [key]: bad }).success).toBe(false);
});
