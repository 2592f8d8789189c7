// The readers in other languages read every vector as it says. Each runs where its toolchain is,
// and says so where it is not; test/clients/README.md has what they need.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");
const VECTORS = path.join(ROOT, "proto/vectors");
const GO_FOLDER = path.join(import.meta.dirname, "go");
const PYTHON = process.env["TICKWIRE_PYTHON"] ?? "python3";

type Run = { readonly ok: boolean; readonly output: string };

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: object } = {},
): Run {
  const env = { ...process.env, ...options.env };
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: options.cwd ?? ROOT,
    env,
    encoding: "utf8",
  });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/** The words of the command that is protoc here; undefined, with one visible line, if none is. */
function findProtoc(): readonly string[] | undefined {
  if (run("protoc", ["--version"]).ok) return ["protoc"];
  if (run(PYTHON, ["-c", "import grpc_tools.protoc"]).ok)
    return [PYTHON, "-m", "grpc_tools.protoc"];
  return undefined;
}

function skipped(reader: string, reason: string): boolean {
  process.stdout.write(`SKIPPED: the ${reader} reader of proto/vectors: ${reason}\n`);
  return true;
}

const protoc = findProtoc();

function cannotRunPython(): boolean {
  if (protoc === undefined) return skipped("Python", "no protoc");
  if (run(PYTHON, ["-c", "import google.protobuf"]).ok) return false;
  return skipped("Python", "no protobuf package");
}

function cannotRunGo(): boolean {
  if (protoc === undefined) return skipped("Go", "no protoc");
  if (!run("go", ["version"]).ok) return skipped("Go", "no go");
  if (!run("protoc-gen-go", ["--version"]).ok) return skipped("Go", "no protoc-gen-go");
  // Only what is there already: a test fetches nothing.
  const list = ["list", "google.golang.org/protobuf/proto"];
  if (run("go", list, { cwd: GO_FOLDER, env: { GOPROXY: "off" } }).ok) return false;
  return skipped("Go", "google.golang.org/protobuf is not downloaded");
}

function expectEveryVector({ ok, output }: Run): void {
  const lines = output.trim().split("\n");
  expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
  expect(lines).toHaveLength(readdirSync(VECTORS).length);
  expect(ok).toBe(true);
}

test.skipIf(cannotRunPython())("Python reads every vector", () => {
  const generated = mkdtempSync(path.join(tmpdir(), "tickwire-python-"));
  try {
    const proto = path.join(ROOT, "proto");
    const files = readdirSync(proto, { recursive: true, encoding: "utf8" })
      .filter((file) => file.startsWith("tickwire/") && file.endsWith(".proto"))
      .map((file) => file.split(path.sep).join("/"));
    const [command = "", ...words] = protoc ?? [];
    const made = run(command, [...words, `-I${proto}`, `--python_out=${generated}`, ...files]);
    expect(made).toEqual({ ok: true, output: "" });
    const reader = path.join(import.meta.dirname, "python/reader.py");
    expectEveryVector(run(PYTHON, [reader, generated, VECTORS]));
  } finally {
    rmSync(generated, { recursive: true });
  }
});

test.skipIf(cannotRunGo())("Go reads every vector", () => {
  const env = { PROTOC: protoc?.join(" "), GOPROXY: "off" };
  const made = run("sh", ["generate.sh"], { cwd: GO_FOLDER, env });
  expect(made).toEqual({ ok: true, output: "" });
  expectEveryVector(run("go", ["run", ".", VECTORS], { cwd: GO_FOLDER, env }));
});
