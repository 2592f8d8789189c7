import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createCaptureFile } from "./capture-file.ts";
import { formatCaptureHeader, type CaptureLine } from "./capture-format.ts";
import { readCapture } from "./capture-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "tickwire-capture-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("what was flushed can be read from a capture that was never closed", async () => {
  const path = join(folder, "killed.ndjson.gz");
  const file = createCaptureFile(path);
  await file.opened;
  file.write(formatCaptureHeader({ venue: "simulated", source: "test" }));
  const read = async (): Promise<CaptureLine[]> => {
    const lines: CaptureLine[] = [];
    for await (const line of readCapture(path)) lines.push(line);
    return lines;
  };
  file.flush();
  await expect.poll(async () => (await read())[0]).toMatchObject({ venue: "simulated" });
  await file.close();
});
