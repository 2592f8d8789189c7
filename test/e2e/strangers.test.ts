import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const BENCH = join(import.meta.dirname, "..", "bench", "strangers.bench.mjs");
const SECONDS = 1;
/** Without turns and prices each of these attacks holds everybody up for 3 to 13 s. */
const WAIT_MS_MAX = 1_500;

/** What the bench prints of an attack: milliseconds that a bystander's RPC takes. */
async function bystanderOf(attack: string): Promise<{ median: number; max: number }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [BENCH, String(SECONDS), "uws", attack],
    { timeout: 60_000 },
  );
  const line = stdout.split("\n").find((text) => text.startsWith(attack)) ?? "";
  const [median, , max] = line.slice(30).trim().split(/\s+/).map(Number);
  return { median: median ?? Number.NaN, max: max ?? Number.NaN };
}

describe("a bystander's RPC is answered while ten strangers send", () => {
  test.each([
    "empty messages",
    "all and back",
    "patterns that match nothing",
    "ListInstruments",
    "GetStatus of a lost venue",
  ])("%s", { timeout: 90_000 }, async (attack) => {
    const { median, max } = await bystanderOf(attack);
    expect(median).toBeLessThan(WAIT_MS_MAX / 10);
    expect(max).toBeLessThan(WAIT_MS_MAX);
  });
});
