import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { environmentOfTests } from "./cli-process.ts";

const EXAMPLES = join(import.meta.dirname, "../../clients/examples");
const RUN_MS_MAX = 50_000;

/** An example that runs. */
type ExampleProcess = {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with its exit code; what has not ended after a bounded time is killed. */
  readonly ended: Promise<number | null>;
  stop(): Promise<number | null>;
};

/** Starts a built example, such as `market-maker`, as its README does. */
export function startExample(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ExampleProcess {
  const program = join(EXAMPLES, name, "dist/main.js");
  if (!existsSync(program)) throw new Error("the example is not built: npm run build");
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...environmentOfTests(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_MS_MAX,
    killSignal: "SIGKILL",
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
