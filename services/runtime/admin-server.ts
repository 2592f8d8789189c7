import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

type AdminServerOptions = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly metrics: Registry;
  /** Undefined when the process can do its work, otherwise what it waits for. */
  readonly notReadyReason: () => string | undefined;
};

export type AdminServer = {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
};

/**
 * Serves `/healthz` (the process answers), `/readyz` (it can do its work; 503 and the reason if
 * not) and `/metrics` in Prometheus' text format. Rejects if it cannot listen.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "method not allowed\n");
      return;
    }
    answerPath(path, options, response);
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  server.maxConnections = 64;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function answerPath(path: string, options: AdminServerOptions, response: ServerResponse): void {
  if (path === "/healthz") {
    answer(response, 200, "ok\n");
    return;
  }
  if (path === "/readyz") {
    const reason = options.notReadyReason();
    if (reason === undefined) answer(response, 200, "ready\n");
    else answer(response, 503, `${reason}\n`);
    return;
  }
  if (path !== "/metrics") {
    answer(response, 404, "not found\n");
    return;
  }
  options.metrics.metrics().then(
    (text) => answer(response, 200, text, options.metrics.contentType),
    () => answer(response, 500, "metrics could not be collected\n"),
  );
}

function answer(response: ServerResponse, status: number, body: string, type?: string): void {
  response.writeHead(status, { "content-type": type ?? "text/plain; charset=utf-8" });
  response.end(body);
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
