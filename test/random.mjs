// Runs the tests of properties again and again, with other values each time. What fails prints the
// seed and the path that bring it back.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "10" } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error("--rounds takes a whole number from 1");
const files = ["proto", "clients", "services", "test"]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((path) => join(folder, String(path))),
  )
  .filter((path) => path.endsWith(".test.ts") && !/node_modules|dist/.test(path))
  .filter((path) => readFileSync(path, "utf8").includes('from "fast-check"'));
const { CI: _, ...env } = process.env;
const vitest = ["node_modules/vitest/vitest.mjs", "run", ...files];
let found = 0;
for (let round = 0; round < rounds; round += 1) {
  if (spawnSync(process.execPath, vitest, { env, stdio: "inherit" }).status !== 0) found += 1;
}
process.stdout.write(`${found} of ${rounds} rounds found something\n`);
process.exitCode = found === 0 ? 0 : 1;
