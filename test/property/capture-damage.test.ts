import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import type { ReplaySummary } from "#ingest/capture/replay-options.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { capturePath } from "#test/support/captures.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";

// Recordings whose file is damaged, not what the venue sent: what is left is read, and what is
// lost is counted.

const NAMES = ["deribit-10-options", "gateio-10-pairs", "kraken-v2-ethusd"] as const;
const CASES = 25;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-captures-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a replay makes of a file with these bytes; undefined if it holds no capture at all. */
async function replayed(bytes: Uint8Array): Promise<ReplaySummary | undefined> {
  const path = join(folder, "damaged.ndjson.gz");
  writeFileSync(path, bytes);
  try {
    return await replayCapture({
      source: readCapture(path),
      speed: "max",
      clock: new ManualClock(),
    });
  } catch (error) {
    // The one thing that a replay may say instead.
    if (error instanceof Error && error.name === "ReplayError") return undefined;
    throw error;
  }
}

/** Changes some of the lines, never the header: cut, emptied, of no known kind, or no text. */
function withDamagedLines(text: string, prng: Prng): string {
  const lines = text.trimEnd().split("\n");
  for (let count = 1 + prng.below(5); count > 0; count--) {
    const at = 1 + prng.below(lines.length - 1);
    const line = lines[at] ?? "";
    lines[at] = prng.pick([
      line.slice(0, prng.below(line.length)),
      "{}",
      `{"at":"soon","kind":"received"}`,
      `${line}${line}`,
      "\u0000\ufffd",
      line.replace('"kind":"', '"kind":"un'),
    ]);
  }
  return `${lines.join("\n")}\n`;
}

for (const name of NAMES) {
  const path = capturePath(name);
  describe.skipIf(path === undefined)(`${name}`, () => {
    const whole = path === undefined ? Buffer.alloc(0) : readFileSync(path);

    test("cut off anywhere, what is left is replayed", async () => {
      const prng = createPrng(11);
      const complete = (await replayed(whole))?.frames ?? 0;
      for (let index = 0; index < CASES; index++) {
        const summary = await replayed(whole.subarray(0, prng.below(whole.length)));
        expect(summary?.frames ?? 0).toBeLessThanOrEqual(complete);
        expect(summary?.damagedLines ?? 1).toBeGreaterThan(0);
      }
    });

    test("with some of its bytes changed, it is read as far as it can be", async () => {
      const prng = createPrng(12);
      for (let index = 0; index < CASES; index++) {
        const damaged = Buffer.from(whole);
        for (let count = 1 + prng.below(4); count > 0; count--) {
          const at = prng.below(damaged.length);
          damaged[at] = (damaged[at] ?? 0) ^ (1 + prng.below(255));
        }
        const summary = await replayed(damaged);
        expect(summary?.checksumsFailed ?? 0).toBeGreaterThanOrEqual(0);
      }
    });

    test("with lines damaged, the others are replayed and these are counted", async () => {
      const prng = createPrng(13);
      const text = gunzipSync(whole).toString("utf8");
      const complete = (await replayed(whole))?.frames ?? 0;
      for (let index = 0; index < CASES; index++) {
        const summary = await replayed(gzipSync(withDamagedLines(text, prng)));
        expect(summary?.frames ?? 0).toBeGreaterThanOrEqual(complete - 5);
        expect(summary?.damagedLines ?? 0).toBeLessThanOrEqual(5);
      }
    });
  });
}
