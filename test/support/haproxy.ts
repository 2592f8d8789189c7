import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accepts, endProgram, freePort, requireProgram, startProgram } from "./local-server.ts";

/** A gateway as a balancer knows it. */
type BalancedServer = { readonly port: number; readonly adminPort: number };

/** A real HAProxy of this test's own, on the loopback interface. */
type HaProxy = { readonly port: number; close(): Promise<void> };

/** See `requireProgram`. */
export const requireHaProxy = () => requireProgram("haproxy");

/** In front of gateways, in TCP mode: it asks each for its readiness. */
export async function startHaProxy(servers: readonly BalancedServer[]): Promise<HaProxy> {
  const binary = requireHaProxy();
  if (binary === undefined) throw new Error("there is no haproxy");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tickwire-haproxy-"));
  const lines = servers.map(
    (server, index) =>
      `  server gateway-${index} 127.0.0.1:${server.port} check port ${server.adminPort} inter 200ms fall 1 rise 1`,
  );
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  retries 3
  option redispatch 1
listen gateways
  bind 127.0.0.1:${port} backlog 4096
  balance roundrobin
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
${lines.join("\n")}
`,
  );
  const child = await startProgram(binary, ["-db", "-f", file], () => accepts(port));
  return {
    port,
    async close() {
      await endProgram(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
