import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import {
  type Outcome,
  ScanOracle,
  alteredFrames,
  recordedTexts,
} from "#test/support/scan-oracle.ts";
import { VENUES } from "#ingest/venues/registry.ts";

/**
 * Captures of the venues that scan, and which part of their frames is scanned at least. What is
 * not comes too seldom to matter, or teaches the scanner: names and scales.
 */
const CAPTURES = [
  { capture: "binance-usdm-btcusdt-345s", venue: "binance-usdm", share: 0.99 },
  { capture: "binance-usdm-4-pairs", venue: "binance-usdm", share: 0.8 },
  { capture: "binance-btcusdt-345s", venue: "binance", share: 0.98 },
] as const;

const FRAMES_MAX = 5_000;
/** An altered frame a capture; some of them are longer than what a second has room for. */
const ALTERED = 4_000;
const ALTERED_AT_ONCE = 100;
const LEARNT = 200;
const ALTERED_LENGTH_MAX = 8_000;

/** What scanning and decoding a frame say differently, if they do. */
function differenceOf({ frame, scanned, decoded }: Outcome): object | undefined {
  return scanned.join() === decoded.join() ? undefined : { frame, scanned, decoded };
}

describe.each(CAPTURES)("the frames of $capture", ({ capture, venue, share }) => {
  const path = capturePath(capture);
  const adapter = VENUES[venue]!;

  test.skipIf(path === undefined)("say the same scanned as decoded", async () => {
    const oracle = new ScanOracle(adapter);
    const frames = await recordedTexts(adapter, path!, { oracle, framesMax: FRAMES_MAX });
    const outcomes = frames.map((frame) => oracle.take(frame));
    expect(outcomes.flatMap((outcome) => differenceOf(outcome) ?? [])).toEqual([]);
    const scanned = outcomes.filter(({ isScanned }) => isScanned).length;
    expect(scanned / frames.length).toBeGreaterThan(share);
  });

  test.skipIf(path === undefined)("say the same also if they are damaged", async () => {
    let oracle = new ScanOracle(adapter);
    const all = await recordedTexts(adapter, path!, { oracle, framesMax: FRAMES_MAX });
    const frames = all.filter(({ length }) => length < ALTERED_LENGTH_MAX);
    const differences: object[] = [];
    let taken = 0;
    let scanned = 0;
    for (const frame of alteredFrames(frames, { count: ALTERED, seed: 13 })) {
      // A number that was made very fine leaves its instrument with a scale that few others fit.
      if (taken % ALTERED_AT_ONCE === 0) {
        oracle = new ScanOracle(adapter);
        for (const each of frames.slice(0, LEARNT)) oracle.take(each);
      }
      taken += 1;
      const outcome = oracle.take(frame);
      if (outcome.isScanned) scanned += 1;
      const difference = differenceOf(outcome);
      if (difference !== undefined) differences.push(difference);
    }
    expect(differences.slice(0, 3)).toEqual([]);
    // Else nothing was compared: some changes leave a frame as usual as it was.
    expect(scanned).toBeGreaterThan(ALTERED / 50);
  });
});
