import { expect, test } from "vitest";
import { gatewayConfig } from "../config.ts";
import { workerConfig } from "./worker-config.ts";

test("each worker has its part of what they share out, and at least one of it", () => {
  const whole = gatewayConfig({
    workers: 3,
    queriesInFlightMax: 7,
    replaysMax: 2,
    delayBytesMax: 9,
  });
  const own = workerConfig(whole, 3);
  expect(own).toMatchObject({ queriesInFlightMax: 3, replaysMax: 1, delayBytesMax: 3 });
  expect(own.topicsMax).toBe(whole.topicsMax);
});

test("what is turned off stays off", () => {
  const off = gatewayConfig({ workers: 2, replaysMax: 0, resumeTotalBytesMax: 0 });
  expect(workerConfig(off, 2)).toMatchObject({ replaysMax: 0, resumeTotalBytesMax: 0 });
});

test.each([
  [{ workers: 2, transport: "node" as const }, "workers"],
  [{ workers: 2, tls: { certFile: "c", keyFile: "k", clientCaFile: "a" } }, "workers"],
  [{ workers: 65 }, "workers"],
  [{ workerRingBytes: 300_000 }, "workerRingBytes"],
])("%j is no configuration", (config, key) => {
  expect(() => gatewayConfig(config)).toThrow(key);
});

test.each([
  { workers: 64 },
  { workers: 1, transport: "node" as const },
  { workerRingBytes: 262_144 },
])("%j is a configuration", (config) => {
  expect(gatewayConfig(config)).toMatchObject(config);
});
