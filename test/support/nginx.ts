import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { accepts, endProgram, freePort, requireProgram, startProgram } from "./local-server.ts";

/** A real nginx of this test's own, on the loopback interface. */
type Nginx = { readonly port: number; close(): Promise<void> };

/** See `requireProgram`. */
export const requireNginx = () => requireProgram("nginx");

const STOP_MS_MAX = 2_000;

/**
 * nginx with one server that listens on a port of its own, whose block has these lines besides.
 * `listens` stands behind the port, such as `ssl`. Its files are in `folder`.
 */
export async function startNginx(
  folder: string,
  { listens = "", server }: { readonly listens?: string; readonly server: string },
): Promise<Nginx> {
  const binary = requireNginx();
  if (binary === undefined) throw new Error("there is no nginx");
  const port = await freePort();
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name}-${port};`)
    .join(" ");
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; ${paths}
  map $http_upgrade $connection_of_upgrade { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port} ${listens};
    ${server}
  }
}
`,
  );
  const args = ["-c", file, "-p", folder, "-e", "stderr"];
  const child = await startProgram(binary, args, () => accepts(port));
  return {
    port,
    async close() {
      // The workers end when their master says so, and not when it is killed.
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await Promise.race([ended, pause(STOP_MS_MAX)]);
      await endProgram(child);
    },
  };
}
