// `tickwire top` against a running `dev`: once, as JSON, and on a terminal (that of `script`).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { LIST_SCHEMAS, totalsSchema } from "#cli/process/admin-state.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { environmentOfTests, killAll, runCli, startCli } from "./cli-process.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const SECRET = "a-secret-of-the-operators";
const ADMIN = { TICKWIRE_ADMIN__SECRET: SECRET };

let folder: string;
let address: string;
let gateway: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-top-"));
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const ports = ["--port", String(port), "--admin-port", String(adminPort)];
  const dev = startCli(["dev", ...ports], { environment: ADMIN });
  await dev.waitFor("stdout", /Ctrl-C ends it/);
  address = `http://127.0.0.1:${adminPort}`;
  gateway = `http://127.0.0.1:${port}`;
  const topics = ["simulated:BTC-USD/trades", "simulated:BTC-USD/book"];
  const subscriber = startCli(["subscribe", ...topics, "--url", gateway]);
  await subscriber.waitFor("stdout", /BTC-USD/);
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

test("without the secret nothing is shown, and the way to it is said", async () => {
  const { status, stderr } = await runCli(["top", address, "--once"]);
  expect(status).toBe(1);
  expect(stderr).toContain("set TICKWIRE_ADMIN__SECRET or --secret-file");
  const wrong = { environment: { TICKWIRE_ADMIN__SECRET: "another-one-of-the-operators" } };
  const refused = await runCli(["top", address, "--once"], wrong);
  expect(refused.status).toBe(1);
  expect(refused.stderr).not.toContain("another-one");
});

test("the gateway's own address is none of the state", async () => {
  const { status, stderr } = await runCli(["top", gateway, "--once"], { environment: ADMIN });
  expect(status).toBe(1);
  expect(stderr).toContain("is this the admin address");
});

test.each(["ftp://127.0.0.1", "127.0.0.1:9091", "http://user:pw@127.0.0.1:9091"])(
  "%s is refused as an address",
  async (text) => {
    const { status, stderr } = await runCli(["top", text, "--once"]);
    expect(status).toBe(2);
    expect(stderr).toContain("write http://HOST:PORT");
  },
);

test("without a terminal it is printed once, with rates, by the secret of a file", async () => {
  const file = path.join(folder, "secret");
  writeFileSync(file, `${SECRET}\n`);
  const { status, stdout, stderr } = await runCli(["top", address, "--secret-file", file]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^dev \d/);
  expect(stdout).toMatch(/\nsimulated +followed +\d+ +2 +2 +[\d.]+ /);
  expect(stdout).toMatch(/\nsimulated:BTC-USD\/trades +live +[\d.]+ +1 /);
  expect(stdout).toMatch(/tickwire-cli \d.+127\.0\.0\.1 +open +2 /);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).not.toContain(SECRET);
});

test("as JSON it is what the schema says, and a filter leaves the rest out", async () => {
  const args = ["top", address, "--once", "--json", "--filter", "simulated:BTC-USD/trades"];
  const { status, stdout } = await runCli(args, { environment: ADMIN });
  expect(status).toBe(0);
  const { sessions, subscriptions: _, ...lists } = LIST_SCHEMAS;
  const rows = Object.entries({ sessions, ...lists }).map(
    ([name, list]) => [name, list.shape.rows] as const,
  );
  const schema = z.strictObject({ totals: totalsSchema, ...Object.fromEntries(rows) });
  const state = schema.parse(JSON.parse(stdout));
  expect(state).toMatchObject({
    topics: [{ topic: "simulated:BTC-USD/trades" }],
    sessions: [{ client: "tickwire-cli" }],
  });
});

test("on a terminal it does what keys say, and gives the terminal back", async () => {
  const command = `stty rows 20 cols 70; exec node services/cli/tickwire.mjs top ${address}`;
  const environment = { ...environmentOfTests(), ...ADMIN, TERM: "xterm" };
  const child = spawn("script", ["-qfec", command, "/dev/null"], { cwd: ROOT, env: environment });
  let text = "";
  let wake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    wake();
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  /** Presses again, as a person would, if nothing comes of it. */
  const until = async (pattern: RegExp, keys = ""): Promise<void> => {
    for (let looks = 0; !pattern.test(text); looks += 1) {
      if (looks === 40) throw new Error(`${String(pattern)} is not in ${text.slice(-3_000)}`);
      if (looks % 3 === 0) child.stdin.write(keys);
      const look = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([look, pause(1_000)]);
    }
  };
  await until(/sessions by lag/);
  await until(/sessions by owed/, "s");
  await until(/only nobody/, "/nobody\r");
  child.stdin.write("q");
  expect(await ended).toBe(0);
  expect(text).toContain("\u001b[?1049h\u001b[?25l");
  expect(text.trimEnd().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
  // No line is wider than the terminal, of which the sequences that style it are no part.
  // Back at the top left, a new screen begins.
  const parts = text.replaceAll("\u001b[H", "\n").split("\u001b");
  const plain = parts.map((part) => part.replace(/^\[\??\d*[a-zA-Z]/, ""));
  const lines = plain.join("").split(/\r*\n/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(70);
});
