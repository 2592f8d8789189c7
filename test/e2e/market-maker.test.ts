import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { killAll, startCli } from "./cli-process.ts";
import { startExample } from "./example-process.ts";

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
  const socket = url.replace("http", "ws");
  const bot = startExample("market-maker", ["--url", socket, ...DURATION, ...args]);
  const code = await bot.ended;
  const [stdout, stderr] = [bot.stdout(), bot.stderr()];
  expect({ code, late: stderr.includes("too late") }).toEqual({ code: 0, late: false });
  const start = /trading from (\S+)/.exec(stderr)?.[1] ?? "";
  return { start, decisions: stdout.trimEnd().split("\n") };
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
  const bot = startExample("market-maker", ["--past"]);
  const code = await bot.ended;
  const complaint = bot.stderr();
  expect({ code, complaint }).toEqual({
    code: 1,
    complaint: expect.stringContaining("--past needs --start") as string,
  });
});
