import { expect, test } from "vitest";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";
import { loadUws, loadUwsForWorkers, uwsPackageFor } from "./uws-module.ts";

test.each([
  ["20.19.0", "uWebSockets.js"],
  ["22.18.0", "uWebSockets.js"],
  ["23.11.1", "uWebSockets.js"],
  ["24.0.0", "uWebSockets.js-node24"],
  ["26.1.0", "uWebSockets.js-node24"],
])("on Node %s the build comes from %s", (nodeVersion, packageName) => {
  expect(uwsPackageFor(nodeVersion)).toBe(packageName);
});

test.runIf(UWS_IS_EXPECTED)("the build for this Node loads", async () => {
  expect((await loadUws()).App).toBeTypeOf("function");
});

test("workers say what to do where the build cannot load, in one line", async () => {
  const missing = "This version supports only Node 24\n\nError: GLIBC_2.38 not found\n";
  await expect(loadUwsForWorkers(() => Promise.reject(new Error(missing)))).rejects.toThrow(
    /^several workers need uWebSockets\.js, .* set gateway\.workers to 1, or use Node 20 or 22 \(Error: GLIBC_2\.38 not found\)$/,
  );
});
