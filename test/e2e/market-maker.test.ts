import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { environmentOfTests, killAll, startCli } from "./cli-process.ts";

const BOT = join(import.meta.dirname, "../../clients/examples/market-maker/dist/main.js");
const DURATION = ["--duration", "3"];

const folder = mkdtempSync(join(tmpdir(), "tickwire-market-maker-"));
afterEach(async () => {
  await killAll();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function startDev(args: readonly string[]) {
  const cli = startCli(["dev", "--port", "0", "--admin-port", "0", ...args]);
  const [, port] = await cli.waitFor("stdout", /on 127\.0\.0\.1:(\d+)/);
  return { cli, url: `http://127.0.0.1:${port}` };
}

/** Runs the bot to its end; returns its decisions, and when it began. */
async function runBot(url: string, args: readonly string[]) {
  expect(existsSync(BOT), "the example is built: npm run build").toBe(true);
  const socket = url.replace("http", "ws");
  const child = spawn(process.execPath, [BOT, "--url", socket, ...DURATION, ...args], {
    env: environmentOfTests(),
    timeout: 50_000,
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, late: texts.stderr.includes("too late") }).toEqual({ code: 0, late: false });
  const start = /trading from (\S+)/.exec(texts.stderr)?.[1] ?? "";
  return { start, decisions: texts.stdout.trimEnd().split("\n") };
}

test("the market maker decides on a recording what it decided live", async () => {
  const recording = join(folder, "recording");
  const topics = ["simulated:BTC-USD/quotes", "simulated:BTC-USD/trades"];
  const market = await startDev([]);
  const recorder = startCli(["record", ...topics, "--url", market.url, "--out", recording]);
  await recorder.waitFor("stderr", /recording into/);
  const live = await runBot(market.url, []);
  const recorded = await recorder.stop("SIGINT");
  expect(recorded.status).toBe(0);
  await market.cli.stop();
  expect(live.decisions.filter((line) => line.includes("place")).length).toBeGreaterThan(5);
  expect(live.decisions.at(-1)).toContain(" end ");

  const replay = await startDev(["--replay", recording, "--speed", "4"]);
  const again = ["--instrument", "replay-simulated:BTC-USD", "--start", live.start];
  const replayed = await runBot(replay.url, again);
  expect(replayed.decisions).toEqual(live.decisions);

  // From the gateway's log, in which the replay is by now: nothing can be merged on the way.
  const past = await runBot(replay.url, [...again, "--past"]);
  expect(past.decisions).toEqual(live.decisions);
  await replay.cli.stop();
});

test("the market maker says what it needs", async () => {
  const child = spawn(process.execPath, [BOT, "--past"], { env: environmentOfTests() });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, complaint }).toEqual({
    code: 1,
    complaint: expect.stringContaining("--past needs --start") as string,
  });
});
