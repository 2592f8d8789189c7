import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { STATUS_REASONS } from "./status-reason.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The documents that list the reasons: the heading of the table, and the column of the reasons. */
const TABLES = [
  { path: "docs/normalization.md", heading: /^\| state +\| reason +\|.*$/m, column: 2 },
  { path: "proto/README.md", heading: /^\| Reason +\| State +\|.*$/m, column: 1 },
];

describe.each(TABLES)("the reasons of a status in $path", ({ path, heading, column }) => {
  test("are those that there are", () => {
    const [, table = ""] = readFileSync(join(ROOT, path), "utf8").split(heading);
    const [rows = ""] = table.split("\n\n");
    const reasons = rows
      .split("\n")
      .flatMap((row) => [...(row.split("|")[column] ?? "").matchAll(/`([^`]+)`/g)])
      .map(([, reason]) => reason);
    expect(new Set(reasons)).toEqual(new Set(STATUS_REASONS));
  });
});
