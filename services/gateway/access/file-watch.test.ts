import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { FileWatch, readTextFile } from "./file-watch.ts";

const EVERY_MS = 500;

let folder: string;
let clock: ManualClock;
let watch: FileWatch;
let changes: number;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-watch-"));
  clock = new ManualClock();
  changes = 0;
  writeFileSync(file("a"), "one");
  await watchFiles("a", "b");
});

afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => path.join(folder, name);

async function watchFiles(...names: string[]): Promise<void> {
  const onChange = (): void => void (changes += 1);
  watch = new FileWatch({ paths: names.map(file), clock, everyMs: EVERY_MS, onChange });
  await watch.start();
}

/** Lets the time of one look pass, and the look end: the next one is set then. */
async function look(): Promise<void> {
  clock.advance(EVERY_MS);
  while (clock.pending === 0) await nextTurn();
}

test("files that stay as they are are no news, however often they are looked at", async () => {
  for (let round = 0; round < 5; round += 1) await look();
  expect(changes).toBe(0);
});

test.each<[string, () => void]>([
  ["written anew", () => writeFileSync(file("a"), "two two")],
  [
    "exchanged by a rename",
    () => (writeFileSync(file("x"), "one"), renameSync(file("x"), file("a"))),
  ],
  ["touched", () => utimesSync(file("a"), 1, 1)],
  ["taken away", () => rmSync(file("a"))],
  ["made", () => writeFileSync(file("b"), "")],
  ["exchanged for a folder", () => (rmSync(file("a")), mkdirSync(file("a")))],
])("a file that is %s is told once, at the next look", async (_, change) => {
  change();
  clock.advance(EVERY_MS - 1);
  await nextTurn();
  expect(changes).toBe(0);
  clock.advance(1);
  while (clock.pending === 0) await nextTurn();
  expect(changes).toBe(1);
  await look();
  expect(changes).toBe(1);
});

test("a file behind links is noticed when a link is turned, as Kubernetes does it", async () => {
  watch.close();
  for (const version of ["v1", "v2"]) {
    mkdirSync(file(version));
    writeFileSync(path.join(file(version), "keys.json"), "same");
  }
  symlinkSync("v1", file("data"));
  symlinkSync(path.join("data", "keys.json"), file("keys.json"));
  await watchFiles("keys.json");
  await look();
  expect(changes).toBe(0);
  symlinkSync("v2", file("data-new"));
  renameSync(file("data-new"), file("data"));
  await look();
  expect(changes).toBe(1);
});

test("a watch that is closed while it looks tells nothing and looks no more", async () => {
  writeFileSync(file("a"), "two two");
  clock.advance(EVERY_MS);
  watch.close();
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect([changes, clock.pending]).toEqual([0, 0]);
});

test("a text of just the limit is read, and a longer one is not", async () => {
  expect(await readTextFile(file("a"), 3)).toBe("one");
  await expect(readTextFile(file("a"), 2)).rejects.toThrow("has 3 bytes, more than 2");
  await expect(readTextFile(file("none"), 3)).rejects.toThrow("ENOENT");
});
