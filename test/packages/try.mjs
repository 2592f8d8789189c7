// Installs the packages in empty projects and runs each against a gateway with the simulated
// market:
//
//   npm run build && node test/packages/try.mjs [node require vite next deno bun]
//
// What cannot be had, such as a runtime that the registry does not give, is said and counts as left
// out; everything else that goes wrong is a failure.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryNodeImport, tryNodeRequire } from "./node-projects.mjs";
import { tryBun, tryDeno, tryNext } from "./other-projects.mjs";
import { tryVite } from "./vite-project.mjs";
import { ALL_WELL, packPackages } from "./workspace.mjs";

const PROJECTS = {
  node: tryNodeImport,
  require: tryNodeRequire,
  vite: (project) => tryVite({ ...project, ownVite: true }),
  next: tryNext,
  deno: tryDeno,
  bun: tryBun,
};
/** What npm says when it cannot get a package. */
const NOT_TO_BE_HAD = /ENOTFOUND|ETIMEDOUT|ECONNREFUSED|EAI_AGAIN|E40[34]|npm has installed none/;

const print = (text) => process.stdout.write(`${text}\n`);
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PROJECTS);
const unknown = names.filter((name) => !Object.hasOwn(PROJECTS, name));
if (unknown.length > 0) throw new Error(`there is no project ${unknown.join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "tickwire-packages-"));
const gateway = await startGateway();
try {
  const packages = await packPackages(folder);
  for (const name of names) await tryProject(name, packages);
} finally {
  gateway.child.kill();
  rmSync(folder, { recursive: true });
}

async function tryProject(name, packages) {
  const startedMs = performance.now();
  const seconds = () => `${Math.round((performance.now() - startedMs) / 1_000)} s`;
  try {
    const project = { folder: join(folder, name), packages, url: gateway.url };
    const told = (await PROJECTS[name](project)).trim();
    if (told !== ALL_WELL) throw new Error(`it says "${told}" in place of "${ALL_WELL}"`);
    print(`${name.padEnd(8)} works (${seconds()})`);
  } catch (error) {
    if (NOT_TO_BE_HAD.test(error.message)) {
      print(`${name.padEnd(8)} left out, because something could not be had: ${error.message}`);
      return;
    }
    print(`${name.padEnd(8)} failed (${seconds()}): ${error.message}`);
    process.exitCode = 1;
  }
}

/** A gateway of the build with the simulated market. */
async function startGateway() {
  const tickwire = join(import.meta.dirname, "../../services/cli/tickwire.mjs");
  const args = [tickwire, "dev", "--port", "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  return new Promise((resolve, reject) => {
    child.on("exit", () => reject(new Error(`the gateway has ended: ${text}`)));
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
      const url = /open (http:\/\/[\d.]+:\d+)/.exec(text)?.[1];
      if (url !== undefined) resolve({ child, url });
    });
  });
}
