// Prints "N passed, N failed" from vitest's JSON report; exits 1 if anything failed, or was
// skipped for want of anything but recorded captures, or a Go or a Python 2.7 that Debian does not
// have.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { "static-failures": { type: "string" }, "test-exit": { type: "string" } },
});
/** Tests that need a newer Go than Debian's, or Python 2. */
const MAY_BE_SKIPPED =
  /^(Go reads every vector|the official Connect runner passes over (uws|node)|Autobahn finds nothing wrong over (uws|node))$/;
const captures =
  process.env["TICKWIRE_CAPTURES"] ?? new URL("../../shared/captures", import.meta.url);
const capturesAreThere = existsSync(captures);
const path = new URL("../.vitest-report.json", import.meta.url);
const MESSAGE_LENGTH_MAX = 1_500;
const print = (line) => process.stdout.write(`${line}\n`);
/** Told once more at the end: where a log is long, what failed is far above. */
const failureOf = (file, result) => {
  const messages = result.failureMessages.join("\n").slice(0, MESSAGE_LENGTH_MAX);
  return `failed: ${file}\n  ${result.fullName}\n  ${messages.replaceAll("\n", "\n  ")}`;
};
let passed = 0;
let failed = Number(values["static-failures"] ?? 0);
if (existsSync(path)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  passed = report.numPassedTests;
  failed += report.numFailedTests;
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  for (const file of broken) print(`could not run ${file.name}: ${file.message}`);
  failed += broken.length;
  for (const file of report.testResults) {
    for (const result of file.assertionResults) {
      if (result.status === "failed") print(failureOf(file.name, result));
    }
  }
  let skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) {
    for (const file of report.testResults) {
      for (const result of file.assertionResults) {
        if (["pending", "skipped", "todo"].includes(result.status)) {
          print(`skipped: ${result.fullName}`);
          if (MAY_BE_SKIPPED.test(result.fullName)) skipped -= 1;
        }
      }
    }
    if (skipped > 0 && capturesAreThere) {
      print(`${skipped} tests were skipped; here that is a failure`);
      failed += skipped;
    } else if (skipped > 0) {
      print(`${skipped} tests were skipped: there are no captures beside the project`);
    }
  }
} else {
  print("there is no test report");
  failed += 1;
}
// Unhandled errors fail the run without failing a test.
if (Number(values["test-exit"] ?? 0) !== 0 && failed === 0) failed = 1;
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
