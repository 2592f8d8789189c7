// Programs of others that a benchmark compares with and Tickwire has no use for. npm installs them
// where it keeps its caches, in the versions named here, when a benchmark first wants them, and Go
// builds what is written in it from its module proxy. A quick run installs nothing.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../../../node_modules/.cache/tickwire-bench");
const VERSIONS = { centrifuge: "5.8.0", "socket.io": "4.8.4", "tardis-dev": "13.35.3" };
const GO_PROGRAMS = {
  centrifugo: { module: "github.com/centrifugal/centrifugo/v6", version: "v6.9.1" },
};

/** The module; undefined, with a line that says so, where it cannot be had. */
export function reference(name, { quick }) {
  return isInstalled(name, { quick }) ? installed(name) : undefined;
}

/** Whether the module can be had, after it was installed where that was needed. */
export function isInstalled(name, { quick }) {
  const version = VERSIONS[name];
  const found = join(FOLDER, "node_modules", name);
  if (!existsSync(found) && !quick) install(`${name}@${version}`);
  if (existsSync(found)) return true;
  process.stdout.write(`left out: ${name} ${version} is not installed\n`);
  return false;
}

/** A module that `isInstalled`. */
export function installed(name) {
  return createRequire(join(FOLDER, "package.json"))(name);
}

/** The folder of a module that `isInstalled`, for bundlers. */
export function installedFolder(name) {
  return join(FOLDER, "node_modules", name);
}

/** The path of a program that Go builds; undefined, with a line that says so, without it. */
export function goProgram(name, { quick }) {
  const { module, version } = GO_PROGRAMS[name];
  const folder = join(FOLDER, `${name}-${version}`);
  const program = join(folder, name);
  if (!existsSync(program) && !quick) {
    process.stdout.write(`go builds ${module}@${version}, which takes some minutes\n`);
    spawnSync("go", ["install", `${module}@${version}`], {
      cwd: tmpdir(),
      env: { ...process.env, GOBIN: folder },
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  if (existsSync(program)) return program;
  process.stdout.write(`left out: ${name} ${version} is not built, for which go is needed\n`);
  return undefined;
}

function install(what) {
  mkdirSync(FOLDER, { recursive: true });
  const list = join(FOLDER, "package.json");
  // npm removes what its list does not name.
  if (!existsSync(list)) writeFileSync(list, '{ "private": true }\n');
  process.stdout.write(`npm installs ${what}\n`);
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", what];
  spawnSync("npm", args, { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
}
