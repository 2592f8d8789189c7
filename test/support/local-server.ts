import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { connect as dial, createServer } from "node:net";
import { delimiter, join } from "node:path";

const START_MS_MAX = 20_000;
const RETRY_MS = 25;

/**
 * The path of a program, installed from Debian's package (of the same name, or as named) if it is
 * missing, this is Debian and we are root. Otherwise undefined, after one line that says what is
 * skipped and why; under CI it throws, because there nothing is skipped.
 */
export function requireProgram(name: string, debianPackage = name): string | undefined {
  const found = findProgram(name) ?? installOnDebian(name, debianPackage);
  if (found !== undefined) return found;
  const reason = `no ${name} on PATH, and not root on Debian to install one`;
  if (process.env["CI"] !== undefined) throw new Error(reason);
  process.stderr.write(`skipped: tests against a real ${name} (${reason})\n`);
  return undefined;
}

/** Looks beside PATH where Debian puts servers. */
function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function installOnDebian(name: string, debianPackage: string): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return undefined;
  try {
    execFileSync("apt-get", ["update"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", debianPackage], {
      stdio: "ignore",
    });
  } catch (error) {
    process.stderr.write(`could not install ${name}: ${String(error)}\n`);
  }
  return findProgram(name);
}

/** Below the ports that connections are made from. */
const LASTING_PORTS = { from: 20_000, to: 32_000 };

/**
 * A port for a server that is to come back on it: no connection of another program takes it while
 * the server is away.
 */
export async function findLastingPort(): Promise<number> {
  for (;;) {
    const { from, to } = LASTING_PORTS;
    const port = from + Math.floor(Math.random() * (to - from));
    try {
      return await freePort(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
}

/** A port that nothing listened on a moment ago: this one, or any. Rejects if it is taken. */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}

/** Starts a server and resolves when `accepts` says that it serves. */
export async function startProgram(
  binary: string,
  args: readonly string[],
  accepts: () => Promise<boolean>,
): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  const kill = (): void => void child.kill("SIGKILL");
  // A test process that dies, by whatever signal, must not leave a server behind: its end closes
  // the pipe.
  const watchdog = spawn("sh", ["-c", 'read _; kill -9 "$0"', String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.once("exit", () => watchdog.kill("SIGKILL"));
  const deadlineMs = Date.now() + START_MS_MAX;
  while (!(await accepts())) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadlineMs) {
      kill();
      throw new Error(`${binary} did not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return child;
}

/** Ends the process and waits for its end. Idempotent. */
export function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    // Not SIGTERM: a paused process would not see it, and a server that says goodbye hides what a
    // crash does.
    child.kill("SIGKILL");
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run.
    return false;
  }
}

/** Whether a connection to the port of this machine is accepted. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, "127.0.0.1");
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}
