import { expect, test } from "vitest";
import { uwsLimits } from "./transport-options.ts";
import type { TransportOptions } from "./transport.ts";

const OPTIONS: TransportOptions = {
  host: "127.0.0.1",
  port: 0,
  path: "/",
  messageBytesMax: 1000,
  requestBytesMax: 1000,
  bufferedBytesMax: 1000,
  idleTimeoutMs: 60_000,
  compression: false,
  connectionsMax: 1,
  trustedProxies: [],
  proxyHeader: "x-forwarded-for",
  http: {
    connectionsPerAddressMax: 100,
    bodyBytesMax: 1_000_000,
    bodyBytesPerAddressMax: 1_000_000,
    bodyTimeoutMs: 20_000,
    bodyBytesPerSecondMin: 1_000,
    requestsPerSecondMax: 10_000,
    requestsPerSecondPerAddressMax: 10_000,
  },
};

test.each([
  [0, 0],
  [8_000, 8],
  [8_001, 9],
  [7_001, 8],
  [960_000, 960],
])("an idle timeout of %i ms becomes %i s", (idleTimeoutMs, seconds) => {
  expect(uwsLimits({ ...OPTIONS, idleTimeoutMs }).idleTimeoutSeconds).toBe(seconds);
});

test.each([1, 7_000, 960_001, Number.NaN, 8_000.5])(
  "an idle timeout of %d ms is refused before the native module could end the process",
  (idleTimeoutMs) => {
    expect(() => uwsLimits({ ...OPTIONS, idleTimeoutMs })).toThrow("idleTimeoutMs");
  },
);

test("control frames have room above the limit of data", () => {
  expect(uwsLimits(OPTIONS).maxBackpressure).toBeGreaterThan(OPTIONS.bufferedBytesMax + 1000);
});

test.each([
  { bufferedBytesMax: 2 ** 31 },
  { messageBytesMax: 2 ** 31 },
  { requestBytesMax: 0 },
  { connectionsMax: 1.5 },
])("sizes that do not fit the native module are refused: %o", (wrong) => {
  expect(() => uwsLimits({ ...OPTIONS, ...wrong })).toThrow(Object.keys(wrong)[0]);
});
