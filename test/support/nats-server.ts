import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { connect as dial, createServer } from "node:net";
import { delimiter, join } from "node:path";

/** A real nats-server of this test's own, on the loopback interface. */
export type NatsServer = {
  readonly url: string;
  readonly port: number;
  /** Ends the process and waits for its end. Idempotent. */
  stop(): Promise<void>;
  /** Stops the process where it stands: sockets stay open and silent. */
  pause(): void;
  resume(): void;
  /** Stops it and starts it again on the same port. Subscriptions of the old one are forgotten. */
  restart(): Promise<void>;
};

const START_MS_MAX = 20_000;
const RETRY_MS = 25;

/**
 * Where the binary is; undefined if this machine has none. Looks beside PATH where Debian puts it.
 */
function findNatsServer(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, "nats-server")).find(isExecutable);
}

/**
 * The binary, installed from Debian's package if it is missing, this is Debian and we are root.
 * Otherwise undefined, after one line that says what is skipped and why; under CI it throws,
 * because there nothing is skipped.
 */
export function requireNatsServer(): string | undefined {
  const found = findNatsServer() ?? installOnDebian();
  if (found !== undefined) return found;
  const reason = "no nats-server on PATH, and not root on Debian to install one";
  if (process.env["CI"] !== undefined) throw new Error(reason);
  process.stderr.write(`skipped: tests against a real nats-server (${reason})\n`);
  return undefined;
}

/** Starts a server on `port`, or a free one, and resolves when it accepts connections. */
export async function startNatsServer(
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<NatsServer> {
  const binary = requireNatsServer();
  if (binary === undefined) throw new Error("there is no nats-server");
  const port = options.port ?? (await freePort());
  const args = ["-a", "127.0.0.1", "-p", String(port), ...(options.args ?? [])];
  let child = await launch(binary, args, port);
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    stop: () => end(child),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    restart: async () => {
      await end(child);
      child = await launch(binary, args, port);
    },
  };
}

/** A port that nothing listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}

async function launch(
  binary: string,
  args: readonly string[],
  port: number,
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
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadlineMs) {
      kill();
      throw new Error(`nats-server did not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return child;
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    // Not SIGTERM: a paused process would not see it, and a server that says goodbye hides what a
    // crash does.
    child.kill("SIGKILL");
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, "127.0.0.1");
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    // The server speaks first, so a byte proves that it is one.
    socket.once("data", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}

function installOnDebian(): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return undefined;
  try {
    execFileSync("apt-get", ["update"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "nats-server"], {
      stdio: "ignore",
    });
  } catch (error) {
    process.stderr.write(`could not install nats-server: ${String(error)}\n`);
  }
  return findNatsServer();
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
