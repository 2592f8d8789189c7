// A nats-server on a port of this machine, for as long as a benchmark wants it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * On a free port, unless one is named; `gone` resolves when it has ended after `stop`. Undefined
 * where no server is installed.
 */
export async function startNats({ port: wanted = 0 } = {}) {
  if (spawnSync("nats-server", ["--version"]).error !== undefined) return undefined;
  const probe = createServer().listen(wanted, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port)]);
  await isReady(server);
  const gone = once(server, "exit");
  const stop = () => server.kill();
  return { url: `nats://127.0.0.1:${port}`, pid: server.pid, stop, gone };
}

/** Until it serves. What it says is read as long as it lives: it ends if nobody does. */
async function isReady(server) {
  let said = "";
  await new Promise((resolve, reject) => {
    server.stderr.on("data", (text) => {
      if (said === undefined) return;
      said += text;
      if (!said.includes("Server is ready")) return;
      said = undefined;
      resolve();
    });
    server.once("exit", () => reject(new Error("nats-server ended before it was ready")));
  });
}
