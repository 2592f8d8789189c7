import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killAll, runCli, startCli } from "./cli-process.ts";

// The examples of the client's README, to the letter: compiled against the published declarations,
// and run against `tickwire dev`.

const ROOT = join(import.meta.dirname, "..", "..");
const README = join(ROOT, "clients/typescript/README.md");

let folder: string;
let examples: readonly string[];
let port: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tickwire-readme-"));
  const readme = await readFile(README, "utf8");
  examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  for (const name of ["@tickwire", "@types"]) {
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const gateway = startCli(["dev", "--port", "0"]);
  port = (await gateway.waitFor("stdout", /127\.0\.0\.1:(\d+)/))[1]!;
});

afterAll(async () => {
  await killAll();
  await rm(folder, { recursive: true, force: true });
});

/** Compiles and returns what the compiler complains about. */
async function compile(
  options: Record<string, unknown>,
  files: readonly string[],
): Promise<string> {
  const config = { compilerOptions: { strict: true, target: "es2022", ...options }, files };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [compiler, "-p", folder]);
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout;
}

/** Runs an example until it said this or ended, and returns everything that it printed. */
function runExample(file: string, until: RegExp): Promise<string> {
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const hear = (chunk: Buffer) => {
    printed += chunk.toString();
    if (until.test(printed)) child.kill("SIGKILL");
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  return new Promise((resolve) => child.once("close", () => resolve(printed)));
}

describe("the examples of the client's README", () => {
  test("are for Node, except two for a page", () => {
    const pages = examples.map((text) => /document|location/.test(text));
    expect(pages).toEqual([false, false, true, false, false, false, true, false]);
  });

  test.each([
    ["Node's resolution", { module: "nodenext", lib: ["es2023"], types: ["node"] }, false],
    ["a bundler's", { module: "esnext", moduleResolution: "bundler", types: ["node"] }, false],
    ["a page", { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"] }, true],
  ])("compile strictly with %s and without skipLibCheck", async (_name, options, isPage) => {
    const files: string[] = [];
    for (const [index, text] of examples.entries()) {
      if (/document|location/.test(text) !== isPage) continue;
      files.push(`check${index}.ts`);
      await writeFile(join(folder, `check${index}.ts`), text);
    }
    const types = isPage ? { types: [] } : {};
    const strict = { noEmit: true, skipLibCheck: false, ...options, ...types };
    expect(await compile(strict, files)).toBe("");
  });

  test.each([
    [0, /(BTC-USD \d+(\.\d+)? \d+(\.\d+)? (buyer|seller)\n){3}/],
    [1, /^\d+ quotes\n$/],
    [3, /^(?=.*\d+ instruments\n)(?=.*(BTC|ETH)-USD \d+ \d)/s],
    [4, /^tickwire\.v1\.MarketData\/GetServerTime took \d+\.\d ms\n$/],
    [5, /^[1-9]\d*\/s, [1-9]\d* bytes\/s, p99 -?\d+ ms, 0 missing, [1-9]\d* topics\n$/],
  ])("example %i prints what it says", async (index, expected) => {
    const text = examples[index]!.replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`);
    await writeFile(join(folder, `run${index}.ts`), text);
    const options = { module: "nodenext", lib: ["es2023"], types: ["node"], skipLibCheck: true };
    expect(await compile(options, [`run${index}.ts`])).toBe("");
    expect(await runExample(`run${index}.js`, expected)).toMatch(expected);
  });

  test("the one that shows a token is let in with it, and told why it is not without", async () => {
    const [own, set] = [join(folder, "own.json"), join(folder, "set.json")];
    const made = runCli(["token", "new-key", "--private-file", own, "--key-set", set]);
    expect((await made).status).toBe(0);
    const access = `gateway.access.tokens.keySetFile=${set}`;
    const gateway = startCli(["dev", "--port", "0", "--admin-port", "0", "--set", access]);
    const [, ownPort = ""] = await gateway.waitFor("stdout", /127\.0\.0\.1:(\d+)/);
    const text = examples[7]!.replaceAll("127.0.0.1:8080", `127.0.0.1:${ownPort}`);
    await writeFile(join(folder, "shown.ts"), text);
    const options = { module: "nodenext", lib: ["es2023"], types: ["node"], skipLibCheck: true };
    expect(await compile(options, ["shown.ts"])).toBe("");
    const args = ["token", "make", "--key", own, "--sub", "me", "--role", "all"];
    await writeFile(join(folder, "token.txt"), (await runCli(args)).stdout);
    const letIn = /^let in, to [1-9]\d* instruments\n/;
    expect(await runExample("shown.js", letIn)).toMatch(letIn);
    await writeFile(join(folder, "token.txt"), "twk_rubbish");
    const refused = /^unauthenticated: .*\n/;
    const said = await runExample("shown.js", refused);
    expect(said).toMatch(refused);
    expect(said).not.toContain("rubbish");
  });
});
