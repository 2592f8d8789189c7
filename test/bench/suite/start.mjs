// How long a user waits: from the start of the process to its end or until it is ready, beside Node
// that does nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { alternateFigures, row } from "./measure.mjs";

const PROGRAM = join(import.meta.dirname, "../../../services/cli/tickwire.mjs");
const READY_MS_MAX = 30_000;
/** Variables of the tests would be settings to the program. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_")),
);

/** Milliseconds until the process has ended. */
async function untilEnd(args) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, { env: ENVIRONMENT, stdio: "ignore" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`node ${args.join(" ")} ended with exit code ${code}`);
  return performance.now() - startedMs;
}

/** Milliseconds until the process says that it listens. */
async function untilReady(args, says) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS_MAX);
  let readyMs;
  // Programs for people speak on stdout, services log on stderr.
  const spoken = child.stdout.pipe(new PassThrough());
  child.stderr.pipe(spoken);
  for await (const line of createInterface(spoken)) {
    if (readyMs !== undefined || !line.includes(says)) continue;
    readyMs = performance.now() - startedMs;
    child.kill("SIGKILL");
  }
  clearTimeout(timer);
  if (readyMs === undefined) throw new Error(`tickwire ${args.join(" ")} did not become ready`);
  return readyMs;
}

/** A nats-server of the benchmark's own; undefined where there is none. */
async function startNats() {
  const port = await freePort();
  const child = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port)], { stdio: "pipe" });
  child.on("error", () => undefined);
  for await (const line of createInterface(child.stderr)) {
    if (line.includes("Server is ready")) return { child, port };
  }
  return undefined;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export const about = "wall time from the start of the process, beside `node -e 0`";

export async function run({ rounds, only = "" }) {
  const nats = await startNats();
  const candidates = {
    "node -e 0": () => untilEnd(["-e", "0"]),
    "node -e 0, again": () => untilEnd(["-e", "0"]),
    "tickwire --version": () => untilEnd([PROGRAM, "--version"]),
    "tickwire --help": () => untilEnd([PROGRAM, "--help"]),
    "tickwire dev, ready": () =>
      untilReady(["dev", "--port", "0", "--admin-port", "0"], "tickwire streams"),
  };
  if (nats === undefined) process.stdout.write("left out: there is no nats-server\n");
  else {
    const servers = `bus.nats.servers=nats://127.0.0.1:${nats.port}`;
    const args = ["gateway", "--port", "0", "--admin-port", "0", "--set", servers];
    candidates["tickwire gateway, ready"] = () => untilReady(args, "gateway listens");
  }
  const samples = await alternateFigures(candidates, { rounds }).finally(() => nats?.child.kill());
  const reference = samples["node -e 0"];
  const targets = { "tickwire --version": "<= 3", "tickwire gateway, ready": "<= 3" };
  return Object.entries(samples)
    .filter(([name]) => name.includes(only))
    .map(([name, values]) =>
      row("start", name, "ms", values, {
        ...(name === "node -e 0" ? {} : { reference }),
        target: targets[name],
      }),
    );
}
