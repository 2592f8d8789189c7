import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacksChromium, launchChromium, untilInPage } from "./chromium-page.ts";
import { killAll, startCli } from "./cli-process.ts";

// The programs of docs/quickstarts, to the letter, against the gateway that the pages start.

const ROOT = join(import.meta.dirname, "..", "..");
/** A first build compiles the standard library too. */
const BUILD_MS_MAX = 240_000;
const CONSOLIDATED = "BTC-USD=simulated:BTC-USD,simulated:BTC-USDT";

let folder: string;
let address: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tickwire-quickstart-"));
  await mkdir(join(folder, "node_modules"));
  const packages = join("node_modules", "@tickwire");
  await symlink(join(ROOT, packages), join(folder, packages));
  const gateway = startCli(["dev", "--port", "0", "--consolidate", CONSOLIDATED]);
  address = (await gateway.waitFor("stdout", /127\.0\.0\.1:\d+/))[0];
});

afterAll(async () => {
  await killAll();
  await rm(folder, { recursive: true, force: true });
});

/** Writes the program of a page into the folder and returns its path. */
async function takeProgram(page: string, language: string, name: string): Promise<string> {
  const text = await readFile(join(ROOT, "docs/quickstarts", `${page}.md`), "utf8");
  const found = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(text);
  const file = join(folder, name);
  await writeFile(file, found?.[1] ?? "");
  return file;
}

/** Runs a program until it said this, or ended, and returns everything that it printed. */
function run(command: string, args: readonly string[], until: RegExp): Promise<string> {
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const hear = (chunk: Buffer): void => {
    printed += chunk.toString();
    if (until.test(printed)) child.kill("SIGKILL");
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(printed));
  });
}

describe("the programs of the quickstarts", () => {
  test.each([
    ["bot", /^(?:(?:buy  at|sell at) [\d.]+, -?\d+\.\d\d bp\n){2}/],
    ["aggregator", /^BTC-USD [\d.]+ \[ 'simulated\.BTC-USDT?' \] [\d.]+ \[ 'simulated\.BTC-US/m],
  ])("%s prints what its page says", async (page, expected) => {
    const file = await takeProgram(page, "js", `${page}.mjs`);
    expect(await run(process.execPath, [file, `ws://${address}`], expected)).toMatch(expected);
  });

  test("Python's prints what its page says, with the standard library alone", async () => {
    const file = await takeProgram("python", "python", "ticks.py");
    const expected = /^\d+ instruments\n(?:[\d.]+ (?:buyer|seller)\n){2}/;
    const python = process.env["TICKWIRE_PYTHON"] ?? "python3";
    expect(await run(python, ["-u", file, `http://${address}`], expected)).toMatch(expected);
  });

  test.each(compilers())(
    "%s's prints what its page says",
    async (go) => {
      const file = await takeProgram("go", "go", "main.go");
      const program = join(folder, "ticks");
      await promisify(execFile)(go, ["build", "-o", program, file], { cwd: folder });
      const expected = /^(?:simulated:BTC-USD\/trades [\d.]+ [\d.]+ (?:buyer|seller)\n){2}/;
      expect(await run(program, [`http://${address}`], expected)).toMatch(expected);
    },
    BUILD_MS_MAX,
  );

  test.skipIf(lacksChromium)("the page shows prices and a live book", async () => {
    await takeProgram("dashboard", "html", "index.html");
    await takeProgram("dashboard", "js", "main.js");
    const server = await createServer({
      root: folder,
      configFile: false,
      logLevel: "error",
      server: { host: "127.0.0.1", port: 0, fs: { strict: false } },
    });
    const browser = await launchChromium();
    try {
      await server.listen();
      const local = server.resolvedUrls?.local[0] ?? "";
      const page = await browser.newPage();
      await page.goto(`${local}?gateway=ws://${address}`);
      await untilInPage(page, "/BTC-USD live/.test(document.getElementById('book').textContent)");
      const rows = page.locator("#prices tr");
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBeGreaterThan(30);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

/** Go, where it is installed; it is said where it is not. */
function compilers(): readonly string[] {
  if (spawnSync("go", ["version"]).error === undefined) return ["go"];
  process.stderr.write("SKIPPED: the program of the quickstart for Go, which is not installed\n");
  return [];
}
