import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { killRecorders } from "../support/recording-kills.mjs";
import { killAll } from "./cli-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tickwire-recordings-"));

afterEach(async () => {
  await killAll();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("a recorder that is killed", () => {
  test("leaves files that are whole up to its last flush", async () => {
    const kills = await killRecorders({ kills: 5, seed: 7 });
    expect(kills).toHaveLength(5);
    for (const kill of kills) {
      expect(kill.flushedEvents).toBeGreaterThan(0);
      expect(kill.readEvents).toBeGreaterThanOrEqual(kill.flushedEvents);
      expect(kill).toMatchObject({ damagedBytes: 0, brokenTopics: [] });
    }
  });
});
