import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { killRecorders } from "../support/recording-kills.mjs";
import { ANALYSIS_PYTHON, runAnalysis } from "#test/support/analysis-python.ts";
import { killAll, runCli, startCli } from "./cli-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tickwire-recordings-"));

afterEach(async () => {
  await killAll();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of a table as objects, by the names in the first line. */
function csvRows(path: string): Record<string, string>[] {
  const [head = "", ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""]));
  });
}

async function startDev(args: readonly string[]) {
  const cli = startCli(["dev", "--port", "0", "--admin-port", "0", ...args]);
  const [, port] = await cli.waitFor("stdout", /on 127\.0\.0\.1:(\d+)/);
  const [, adminPort] = await cli.waitFor("stdout", /127\.0\.0\.1:(\d+)\/metrics/);
  return { cli, url: `http://127.0.0.1:${port}`, admin: `http://127.0.0.1:${adminPort}/admin` };
}

describe("a market that is recorded", () => {
  test("is converted, and replayed as a venue of its own that is told what to do", async () => {
    const recording = join(folder, "recording");
    const live = await startDev([]);
    const record = ["record", "simulated:BTC-USD/*", "--url", live.url, "--out", recording];
    const recorded = await runCli([...record, "--duration", "3", "--file-time", "1"]);
    expect(recorded.status).toBe(0);
    expect(recorded.stderr).toMatch(/recorded \d+ events of \d+ topics/);
    await live.cli.stop();

    const tables = join(folder, "tables");
    const converted = await runCli(["convert", recording, "--out", tables, "--format", "csv"]);
    expect(converted.status).toBe(0);
    const trades = csvRows(join(tables, "trades.csv"));
    expect(trades.length).toBeGreaterThan(5);

    const played = ["replay", recording, "--bus", "memory", "--speed", "max", "--json"];
    const { stdout: summary } = await runCli([...played, "--admin-port", "0"]);
    expect(JSON.parse(summary)).toMatchObject({
      venues: [{ venue: "replay-simulated", unreadableBatches: 0 }],
      rounds: 1,
      damagedBytes: 0,
    });

    const { cli, url, admin } = await startDev(["--replay", recording, "--speed", "4"]);
    const topic = "replay-simulated:BTC-USD/trades";
    const count = ["--count", String(trades.length), "--json"];
    const { stdout } = await runCli(["subscribe", topic, "--url", url, ...count]);
    const replayed = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string | number>);
    expect(
      replayed.map(({ price, size, tradeId, receivedTimeUs }) => {
        return { price, size, tradeId, receivedTimeUs };
      }),
    ).toEqual(
      trades.map(({ price, size, trade_id: tradeId, received_time: time = "" }) => {
        const receivedTimeUs = Date.parse(time) * 1_000 + Number(time.slice(-4, -1));
        return { price, size, tradeId, receivedTimeUs };
      }),
    );

    const ask = async (body: object): Promise<Record<string, unknown>> => {
      const headers = { "content-type": "application/json" };
      const request = { method: "POST", headers, body: JSON.stringify(body) };
      return (await (await fetch(`${admin}/replay`, request)).json()) as Record<string, unknown>;
    };
    expect(await ask({ action: "seek", to: 0.5 })).toMatchObject({ positionSeconds: 0.5 });
    expect(await ask({ action: "pause" })).toMatchObject({ state: "paused" });
    expect(await ask({ action: "speed", speed: 0 })).toHaveProperty("error");
    expect(await ask({ action: "speed", speed: "max" })).toMatchObject({ speed: "max" });
    const refused = await fetch(`${admin}/replay`, { method: "POST", body: "{}" });
    expect(refused.status).toBe(415);
    await cli.stop();
  });
});

/** Without a Python that has DuckDB the notebook cannot run; `.ci/run` makes one. */
const NOTEBOOKS = ["recording.ipynb"].filter(() => {
  if (ANALYSIS_PYTHON === undefined) {
    process.stderr.write("SKIPPED: the notebook: no Python with DuckDB\n");
  }
  return ANALYSIS_PYTHON !== undefined;
});

test.each(NOTEBOOKS)("the notebook %s runs on the tables of a recording", async (name) => {
  const recording = join(folder, "recording");
  const tables = join(folder, "notebook");
  expect((await runCli(["convert", recording, "--out", tables])).status).toBe(0);
  const notebook = join(import.meta.dirname, "../../docs/notebooks", name);
  const runner = join(import.meta.dirname, "../support/run-notebook.py");
  const printed = runAnalysis([runner, notebook], { TICKWIRE_TABLES: tables }).join("\n");
  // The volume of all trades, added up from the other form of the same recording.
  const trades = csvRows(join(folder, "tables", "trades.csv"));
  const scale = Math.max(...trades.map(({ size = "" }) => size.split(".")[1]?.length ?? 0));
  const volume = trades.reduce((sum, { size = "" }) => {
    const [whole = "", fraction = ""] = size.split(".");
    return sum + BigInt(whole + fraction.padEnd(scale, "0"));
  }, 0n);
  const digits = String(volume).padStart(scale + 1, "0");
  expect(printed).toContain(`${digits.slice(0, -scale)}.${digits.slice(-scale)}`);
});

describe("a recorder that is killed", () => {
  test("leaves files that are whole up to its last flush", async () => {
    const kills = await killRecorders({ kills: 5, seed: 7, parallel: 5 });
    expect(kills).toHaveLength(5);
    for (const kill of kills) {
      expect(kill.flushedEvents).toBeGreaterThan(0);
      expect(kill.readEvents).toBeGreaterThanOrEqual(kill.flushedEvents);
      expect(kill).toMatchObject({ damagedBytes: 0, brokenTopics: [] });
    }
  });
});
