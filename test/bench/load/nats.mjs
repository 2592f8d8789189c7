// A nats-server on a free port of this machine, for as long as a benchmark wants it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** Undefined where none is installed. */
export async function startNats() {
  if (spawnSync("nats-server", ["--version"]).error !== undefined) return undefined;
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port)]);
  let said = "";
  for await (const text of server.stderr) {
    said += text;
    if (said.includes("Server is ready")) break;
  }
  server.stderr.resume();
  return { url: `nats://127.0.0.1:${port}`, pid: server.pid, stop: () => server.kill() };
}
