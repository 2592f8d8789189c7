// `tickwire watch` on a terminal (that of `script`) against a running `dev`, and what is
// said to words that are nearly right.
import { spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { environmentOfTests, killAll, runCli, startCli } from "./cli-process.ts";

const ROOT = path.join(import.meta.dirname, "../..");

let url: string;
let started: { readonly line: string; readonly expected: object };
beforeAll(async () => {
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const ports = ["--port", String(port), "--admin-port", String(adminPort)];
  const dev = startCli(["dev", "--json", ...ports]);
  const [line] = await dev.waitFor("stdout", /^\{.*\}$/m);
  url = `http://127.0.0.1:${port}`;
  const adminUrl = `http://127.0.0.1:${adminPort}/`;
  started = { line, expected: { url: `${url}/`, adminUrl, venues: ["simulated"] } };
});
afterAll(killAll);

test("dev says as JSON where it listens", () => {
  expect(JSON.parse(started.line)).toEqual(started.expected);
});

/** A command on a terminal of its own. */
function onTerminal(args: string, environment: Readonly<Record<string, string>> = {}) {
  const command = `stty rows 24 cols 130; echo pid $$; exec node services/cli/tickwire.mjs ${args}`;
  const env = { ...environmentOfTests(), TERM: "xterm", ...environment };
  const child = spawn("script", ["-qfec", command, "/dev/null"], { cwd: ROOT, env });
  let text = "";
  let wake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    wake();
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const until = async (pattern: RegExp, keys = ""): Promise<void> => {
    for (let looks = 0; !pattern.test(text); looks += 1) {
      if (looks === 60) throw new Error(`${String(pattern)} is not in ${text.slice(-3_000)}`);
      if (looks % 3 === 0) child.stdin.write(keys);
      const look = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([look, pause(1_000)]);
    }
  };
  return { child, ended, until, text: () => text };
}

const GIVEN_BACK = "\u001b[?25h\u001b[?1049l";

test("it shows list, ladder and trades, does what keys say, and gives the terminal back", async () => {
  const watch = onTerminal(`watch simulated:BTC-USD simulated:ETH-USD --url ${url}`);
  await watch.until(/simulated:BTC-USD.*\d+\.\d+.*%/);
  await watch.until(/spread \d/);
  await watch.until(/\d\d:\d\d:\d\d /);
  await watch.until(/\[7msimulated:ETH-USD/, "\u001b[B");
  await watch.until(/stopped; Space goes on/, " ");
  watch.child.stdin.write("q");
  expect(await watch.ended).toBe(0);
  expect(watch.text()).toContain("\u001b[?1049h\u001b[?25l");
  expect(watch.text().trimEnd().endsWith(GIVEN_BACK)).toBe(true);
});

test("the terminal comes back when the process is told to end", async () => {
  const watch = onTerminal(`watch simulated:BTC-USD --url ${url} --no-color`);
  await watch.until(/spread \d/);
  const [, pid] = /pid (\d+)/.exec(watch.text()) ?? [];
  process.kill(Number(pid), "SIGTERM");
  expect(await watch.ended).toBe(0);
  expect(watch.text().trimEnd().endsWith(GIVEN_BACK)).toBe(true);
  expect(watch.text()).not.toContain("\u001b[32m");
});

test.each([
  ["on a dumb terminal", { TERM: "dumb" }],
  ["where the gateway is not there", { TERM: "xterm" }],
])("%s nothing is drawn, and the way out is said", async (_, environment) => {
  const watch = onTerminal("watch --url http://127.0.0.1:1", environment);
  expect(await watch.ended).not.toBe(0);
  expect(watch.text()).toMatch(/tickwire subscribe prints lines|start one with tickwire dev/);
  expect(watch.text()).not.toContain("\u001b[?1049h");
});

test("without a terminal it says what prints lines", async () => {
  const { status, stderr } = await runCli(["watch", "--url", url]);
  expect(status).toBe(2);
  expect(stderr).toContain("tickwire subscribe prints lines");
});

test("a topic that is nearly right is told which", async () => {
  const { status, stderr } = await runCli(["subscribe", "simulated:BTC-UDS/trades", "--url", url]);
  expect(status).toBe(1);
  expect(stderr).toContain("did you mean simulated:BTC-USD");
  expect(stderr).not.toContain("the nearest");
});

test.each([
  [["record", "x:y/trades", "--out", "x", "--compress", "lz4"], 2, "none, gzip, zstd"],
  [["krakne"], 2, "tickwire: unknown command 'krakne'"],
  [["doctor", "krakne"], 2, "there is no venue krakne; did you mean kraken?"],
  [["subscrib", "x"], 2, "(Did you mean subscribe?)"],
  [["dev", "--prot", "1"], 2, "(Did you mean --port?)"],
  [["call", "GetServerTiem"], 2, "did you mean GetServerTime?"],
  [["watch", "--color=blue"], 2, "--color is one of auto, always, never"],
  [["completion", "csh"], 2, "Allowed choices are bash, zsh, fish"],
])("%j is told what may have been meant", async (args, expected, message) => {
  const { status, stderr } = await runCli(args);
  expect(status).toBe(expected);
  expect(stderr).toContain(message);
});
