import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tryNodeImport, tryNodeRequire } from "../packages/node-projects.mjs";
import { tryVite } from "../packages/vite-project.mjs";
import { ALL_WELL, packPackages } from "../packages/workspace.mjs";
import { killAll, startCli } from "./cli-process.ts";

// What `npm pack` makes, installed in empty projects, checked by the compiler and run against a
// gateway. test/packages/try.mjs does the same with Next, Deno, Bun and a Vite of its own.

describe("the packages, installed in an empty project", () => {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-install-"));
  let packages: string[];
  let url: string;

  beforeAll(async () => {
    const gateway = startCli(["dev", "--port", "0"]);
    [, url = ""] = await gateway.waitFor("stdout", /open (http:\/\/[\d.]+:\d+)/);
    packages = await packPackages(folder);
  });

  afterAll(async () => {
    await killAll();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["import in Node", tryNodeImport],
    ["require in Node", tryNodeRequire],
    ["a page that Vite builds", tryVite],
  ])("serve %s, with types", async (_, tryProject) => {
    // One folder for all three, because installing takes most of the time.
    const project = { folder: join(folder, "project"), packages, url };
    expect((await tryProject(project)).trim()).toBe(ALL_WELL);
  });
});
