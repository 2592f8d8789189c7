/** The readers in other languages as processes, each where its toolchain is. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.join(import.meta.dirname, "../..");
const GO_FOLDER = path.join(import.meta.dirname, "go");

/** What a reader says of the batches of one frame. */
type Readings = readonly Readonly<Record<string, unknown>>[];

type Run = { readonly ok: boolean; readonly output: string };

function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: object } = {},
): Run {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
  });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

function mustRun(...args: Parameters<typeof run>): void {
  const { ok, output } = run(...args);
  if (!ok || output !== "") throw new Error(output);
}

/** The Python that has protobuf's package: the one named, the first on the path, Debian's. */
const PYTHON = [process.env["TICKWIRE_PYTHON"], "python3", "/usr/bin/python3"].find(
  (name) => name !== undefined && run(name, ["-c", "import google.protobuf"]).ok,
);

/** The words of the command that is protoc here. */
function findProtoc(): readonly string[] | undefined {
  if (run("protoc", ["--version"]).ok) return ["protoc"];
  const python = PYTHON ?? "python3";
  if (run(python, ["-c", "import grpc_tools.protoc"]).ok)
    return [python, "-m", "grpc_tools.protoc"];
  return undefined;
}

const PROTOC = findProtoc();

/** Why a reader cannot run here; undefined if it can. Only what is there already is used. */
export function missingFor(language: "Python" | "Go"): string | undefined {
  if (PROTOC === undefined) return "no protoc";
  if (language === "Python") return PYTHON === undefined ? "no protobuf package" : undefined;
  if (!run("go", ["version"]).ok) return "no go";
  if (!run("protoc-gen-go", ["--version"]).ok) return "no protoc-gen-go";
  const list = ["list", "google.golang.org/protobuf/proto"];
  const isThere = run("go", list, { cwd: GO_FOLDER, env: { GOPROXY: "off" } }).ok;
  return isThere ? undefined : "google.golang.org/protobuf is not downloaded";
}

const folder = mkdtempSync(path.join(tmpdir(), "tickwire-reader-"));

/** What was generated and built goes with the last test. */
export function removePrograms(): void {
  rmSync(folder, { recursive: true });
}

function buildPython(): readonly string[] {
  const proto = path.join(ROOT, "proto");
  const files = readdirSync(proto, { recursive: true, encoding: "utf8" })
    .filter((file) => file.startsWith("tickwire") && file.endsWith(".proto"))
    .map((file) => file.split(path.sep).join("/"));
  const [command = "", ...words] = PROTOC ?? [];
  mustRun(command, [...words, `-I${proto}`, `--python_out=${folder}`, ...files]);
  return [PYTHON ?? "", path.join(import.meta.dirname, "python/reader.py"), folder];
}

function buildGo(): readonly string[] {
  const env = { PROTOC: PROTOC?.join(" "), GOPROXY: "off" };
  mustRun("sh", ["generate.sh"], { cwd: GO_FOLDER, env });
  const program = path.join(folder, "reader");
  mustRun("go", ["build", "-o", program, "."], { cwd: GO_FOLDER, env });
  return [program];
}

/** The command of each reader, which is built when it is first needed. */
const commands = new Map<string, readonly string[]>();

function commandOf(language: "Python" | "Go"): readonly string[] {
  const command = commands.get(language) ?? (language === "Python" ? buildPython() : buildGo());
  commands.set(language, command);
  return command;
}

/** A running reader. */
export class Reader {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #output = "";
  #errors = "";

  constructor(language: "Python" | "Go") {
    const [command = "", ...words] = commandOf(language);
    this.#process = spawn(command, words);
    this.#process.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.#ended = new Promise((resolve) => this.#process.on("close", () => resolve()));
  }

  /** Hands on a frame. */
  frame(hex: string): void {
    this.#process.stdin.write(`${hex}\n`);
  }

  /** Says which position the client has. */
  resume({ topicId, epoch, sequence }: Readonly<Record<string, number>>): void {
    this.#process.stdin.write(`resume ${topicId} ${epoch} ${sequence}\n`);
  }

  /** Ends it; what it said of each frame, in order. */
  async end(): Promise<Readings[]> {
    this.#process.stdin.end();
    await this.#ended;
    if (this.#errors !== "") throw new Error(this.#errors);
    return this.#output
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Readings);
  }
}
