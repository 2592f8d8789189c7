// Compares the schema with the last published one and fails on changes that break its users.
//
//   node proto/breaking.mjs           lint, format and breaking changes; exits 1 if one fails
//   node proto/breaking.mjs --renew   on release: makes the schema of now the published one
//
// The published schema is baseline.json, an image made by buf and committed, so that the check
// needs no network, no tags and no history.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const protoFolder = path.dirname(fileURLToPath(import.meta.url));

function runBuf(args) {
  const buf = require.resolve("@bufbuild/buf/bin/buf");
  const { status, error } = spawnSync(process.execPath, [buf, ...args], {
    cwd: protoFolder,
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  process.stdout.write(`buf ${args[0]}: ${status === 0 ? "passed" : "failed"}\n`);
  if (status !== 0) process.exitCode = 1;
}

if (process.argv.includes("--renew")) {
  runBuf(["build", "--exclude-source-info", "--output", "baseline.json"]);
} else {
  runBuf(["lint"]);
  runBuf(["format", "--diff", "--exit-code"]);
  runBuf(["breaking", "--against", "baseline.json"]);
}
