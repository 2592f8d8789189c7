// Programs of others that a benchmark compares with and Tickwire has no use for. npm installs them
// where it keeps its caches, in the versions named here, when a benchmark first wants them. A quick
// run installs nothing.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../../node_modules/.cache/tickwire-bench");
const VERSIONS = { "tardis-dev": "13.35.3" };

/** The module; undefined, with a line that says so, where it cannot be had. */
export function reference(name, { quick }) {
  const version = VERSIONS[name];
  const found = join(FOLDER, "node_modules", name);
  if (!existsSync(found) && !quick) install(`${name}@${version}`);
  if (existsSync(found)) return createRequire(join(FOLDER, "package.json"))(name);
  process.stdout.write(`left out: ${name} ${version} is not installed\n`);
  return undefined;
}

function install(what) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "package.json"), '{ "private": true }\n');
  process.stdout.write(`npm installs ${what}\n`);
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", what];
  spawnSync("npm", args, { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
}
