import { expect, test } from "vitest";
import { OPTIONS } from "#test/conformance/transport-stand.ts";
import { uwsLimits } from "./transport-options.ts";

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
