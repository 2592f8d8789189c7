// The Connect project's own runner against our HTTP face, over both transports. It runs where it is
// installed and says so where it is not: .ci/run has how to install it, with Go 1.26 or newer.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TRANSPORTS } from "#test/support/transports.ts";

const ROOT = path.join(import.meta.dirname, "../../..");
/** Of the runner; it brings the schema of its service, which lies in Go's module cache. */
const MODULE = "connectrpc.com/conformance";

/** What the runner has for the features of config.yaml, so that none is left out unseen. */
const CASES = 584;

function run(command: string, args: readonly string[]) {
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "-mod=mod" };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, env, encoding: "utf8" });
  return { ok: status === 0, stdout: stdout ?? "", output: `${stdout}${stderr}` };
}

/** Where the schema of the installed runner lies; undefined, with one visible line, if nowhere. */
function findSchema(): string | undefined {
  const runner = run("sh", ["-c", "command -v connectconformance"]).stdout.trim();
  if (runner === "") return skipped("no connectconformance");
  const built = run("go", ["version", "-m", runner]).stdout;
  const version = new RegExp(`\\tmod\\t${MODULE}\\t(\\S+)`).exec(built)?.[1];
  if (version === undefined) return skipped("no go that knows the runner's version");
  const cache = run("go", ["env", "GOMODCACHE"]).stdout.trim();
  return path.join(cache, `${MODULE}@${version}`, "proto");
}

function skipped(reason: string): undefined {
  process.stdout.write(`SKIPPED: the official Connect runner: ${reason}\n`);
  return undefined;
}

const schema = findSchema();

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-connect-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(schema === undefined).each(TRANSPORTS)(
  "the official Connect runner passes over %s",
  { timeout: 120_000 },
  (transport) => {
    const descriptors = path.join(folder, `${transport}.binpb`);
    const buf = path.join(ROOT, "node_modules/.bin/buf");
    const built = run(buf, ["build", schema ?? "", "--as-file-descriptor-set", "-o", descriptors]);
    expect(built).toMatchObject({ ok: true });
    const config = path.join(import.meta.dirname, "config.yaml");
    const server = path.join(import.meta.dirname, "server.mjs");
    const options = ["--mode", "server", "--conf", config];
    const words = [process.execPath, server, transport, descriptors];
    const { ok, output } = run("connectconformance", [...options, "--", ...words]);
    // What failed is said before the summary.
    expect(output.trim().split("\n").slice(-40).join("\n")).toContain(
      `Total cases: ${CASES}\n${CASES} passed, 0 failed`,
    );
    expect(ok).toBe(true);
  },
);
