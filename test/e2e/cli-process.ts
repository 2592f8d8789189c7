import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const BIN = join(ROOT, "services/cli/tickwire.mjs");

/** No command that a test starts may outlive this. */
const RUN_MS_MAX = 150_000;

export type CliResult = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A started command. */
export type CliProcess = {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the match; rejects if the process ends before it, or after a bounded time. */
  waitFor(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<CliResult>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<CliResult>;
};

type CliOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
};

const running = new Set<ChildProcess>();

/** Starts the built program. `killAll` ends whatever a test left running. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  if (!existsSync(join(ROOT, "dist/services/cli/main.js"))) {
    throw new Error("the program is not built: npm run build");
  }
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: ROOT,
    env: { ...environmentOfTests(), ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const texts = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const hear = (stream: "stdout" | "stderr") => (chunk: string) => {
    texts[stream] += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", hear("stdout"));
  child.stderr.setEncoding("utf8").on("data", hear("stderr"));
  // A command that ends early does not read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const ended = new Promise<CliResult>((resolve) => {
    child.on("close", (status) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ status, ...texts });
      for (const listener of listeners) listener();
    });
  });
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    waitFor: (stream, pattern) => waitFor({ child, texts, listeners }, stream, pattern),
    ended,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs the built program to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** Ends every process of this file's tests that is still there. */
export async function killAll(): Promise<void> {
  const ends = [...running].map(
    (child) => new Promise<void>((resolve) => child.once("close", () => resolve())),
  );
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(ends);
}

/** Without the settings of whoever runs the tests. */
export function environmentOfTests(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(TICKWIRE_|NODE_OPTIONS$)/.test(name)),
  );
}

function waitFor(
  of: {
    readonly child: ChildProcess;
    readonly texts: Readonly<Record<"stdout" | "stderr", string>>;
    readonly listeners: Set<() => void>;
  },
  stream: "stdout" | "stderr",
  pattern: RegExp,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      const match = pattern.exec(of.texts[stream]);
      const isOver = of.child.exitCode !== null || of.child.signalCode !== null;
      if (match === null && !isOver) return;
      of.listeners.delete(check);
      if (match !== null) resolve(match);
      else reject(new Error(`ended without ${pattern.source}: ${JSON.stringify(of.texts)}`));
    };
    of.listeners.add(check);
    check();
  });
}
