import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./cli-process.ts";

/** A Pong, as a gateway sends it. */
const HEX = "0a 04 2a 02 08 09";
const BYTES = Uint8Array.of(0x0a, 4, 0x2a, 2, 8, 9);
const OUTPUT = /^ServerFrame, 6 bytes\n[a-zA-Z]+\n {2}\{.*\}\n$/;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-decode-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("tickwire decode takes the bytes", () => {
  test("as hex on the command line", async () => {
    const { status, stdout } = await runCli(["decode", HEX]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(OUTPUT)]);
  });

  test.each([
    ["bytes", BYTES],
    ["hex with remarks", "0a 04     messages\n2a 02 08 09  pong\n"],
  ])("from a file of %s, and from standard input", async (_, content) => {
    const path = join(folder, "frame");
    writeFileSync(path, content);
    const read = await runCli(["decode", path]);
    expect([read.status, read.stdout]).toEqual([0, expect.stringMatching(OUTPUT)]);
    const piped = await runCli(["decode"], { input: content });
    expect(piped.stdout).toBe(read.stdout);
  });
});

test.each([
  [["decode", "no-such-file"], 2, "no-such-file is no hex, and no file"],
  [["decode", "ff"], 1, "these bytes are no frame and no batch of the bus"],
  [["decode", "ff", "--as", "batch"], 1, "the bytes are no batch: "],
  [["decode", "ff", "--as", "nonsense"], 2, "Allowed choices are server-frame"],
])("tickwire %j exits with %i", async (args, status, message) => {
  const result = await runCli(args);
  expect([result.status, result.stdout]).toEqual([status, ""]);
  expect(result.stderr).toContain(message);
});
