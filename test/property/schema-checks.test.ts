// The checks of the schema fail on what they are there for: on a copy of proto/, changed.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SOURCES = ["tickwire", "gen", "generator", "generate.mjs", "breaking.mjs", "buf.yaml"];
const FILES = [...SOURCES, "baseline.json", "package.json"];

let copy = "";

beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), "tickwire-schema-"));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"), "junction");
});

beforeEach(() => {
  rmSync(path.join(copy, "proto"), { recursive: true, force: true });
  for (const name of FILES) {
    cpSync(path.join(root, "proto", name), path.join(copy, "proto", name), { recursive: true });
  }
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

type Change = { readonly file: string; readonly from: string | RegExp; readonly to: string };

function change({ file, from, to }: Change): void {
  const target = path.join(copy, "proto/tickwire/v1", file);
  const before = readFileSync(target, "utf8");
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(target, after);
}

function run(
  script: string,
  ...args: readonly string[]
): { status: number | null; output: string } {
  const command = [path.join(copy, "proto", script), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

const BREAKS: Readonly<Record<string, Change>> = {
  "a field gets another number": { file: "trade.proto", from: "price = 4;", to: "price = 14;" },
  "a field gets another type": {
    file: "trade.proto",
    from: "bool historical",
    to: "uint32 historical",
  },
  "a field is removed": { file: "trade.proto", from: /^ {2}string trade_id = 7;\n/m, to: "" },
  "an enum value is removed": {
    file: "status.proto",
    from: /^ .*no connection to the venue\.\n.*TOPIC_STATE_DOWN = 6;\n/im,
    to: "",
  },
  "a method is removed": {
    file: "market_data.proto",
    from: /^ {2}rpc GetServerTime[^}]*}\n/m,
    to: "",
  },
  "a method does not stream any more": {
    file: "market_data.proto",
    from: "returns (stream ReplayResponse)",
    to: "returns (ReplayResponse)",
  },
};

describe("the check of the schema against the published one", () => {
  test("passes as it is", () => {
    const { status, output } = run("breaking.mjs");
    expect(output).toContain("buf breaking: passed");
    expect(status).toBe(0);
  });

  test.each(Object.entries(BREAKS))("fails where %s", (_, breaking) => {
    change(breaking);
    const { status, output } = run("breaking.mjs");
    expect(output).toContain("buf breaking: failed");
    expect(status).toBe(1);
  });

  test("passes where a field and an enum value are added", () => {
    const field = "  bool historical = 8;\n}\n";
    change({ file: "trade.proto", from: field, to: field.replace("}", "  string note = 9;\n}") });
    const state = "TOPIC_STATE_DOWN = 6;\n";
    change({ file: "status.proto", from: state, to: `${state}  TOPIC_STATE_HALTED = 7;\n` });
    const { status, output } = run("breaking.mjs");
    expect(output).toContain("buf breaking: passed");
    expect(status).toBe(0);
  });
});

describe("the check of the generated code", () => {
  test("fails where the schema was changed and nothing generated", () => {
    change({
      file: "trade.proto",
      from: "  bool historical = 8;\n}\n",
      to: "  bool historical = 8;\n  string note = 9;\n}\n",
    });
    const { status, output } = run("generate.mjs", "--check");
    expect(output).toContain("wire.js is not what the schema generates");
    expect(status).toBe(1);
  });
});
