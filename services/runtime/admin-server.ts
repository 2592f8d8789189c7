import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { OwnHosts } from "#core/host-name.ts";

type AdminServerOptions = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Names that it is reached as, besides `host` and loopback; `*` takes any. */
  readonly hosts: readonly string[];
  readonly metrics: Registry;
  /** Why the process cannot do its work now; empty if it can. */
  readonly notReadyReasons: () => readonly string[];
};

export type AdminServer = {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
};

/** A monitor asks now and then; whoever holds more connections than this is none. */
const CONNECTIONS_MAX = 64;

/** How long a request may take to arrive. */
const REQUEST_MS_MAX = 5_000;

/**
 * Serves what operators and their monitors ask of any process, on an address of its own: `/healthz`
 * (the process answers), `/readyz` (it can do its work; 503 and the reasons if not) and `/metrics`
 * in Prometheus' text format. Rejects if it cannot listen.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const hosts = new OwnHosts(options.host, options.hosts);
  const server = createServer((request, response) => {
    // A web page that had its own name pointed here (DNS rebinding) names that as the host.
    if (!hosts.has(request.headers.host)) {
      answer(response, 421, "this host is none of this server's; see admin.hosts\n");
      return;
    }
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      answer(response, 405, "method not allowed\n");
      return;
    }
    answerPath(path, options, response);
  });
  server.headersTimeout = REQUEST_MS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
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
  switch (path) {
    case "/healthz":
      answer(response, 200, "ok\n");
      return;
    case "/readyz":
      answerReadiness(response, options.notReadyReasons());
      return;
    case "/metrics":
      options.metrics.metrics().then(
        (text) => answer(response, 200, text, options.metrics.contentType),
        () => answer(response, 500, "metrics could not be collected\n"),
      );
      return;
    default:
      answer(response, 404, "not found; there are /healthz, /readyz and /metrics\n");
  }
}

function answerReadiness(response: ServerResponse, reasons: readonly string[]): void {
  const ready = reasons.length === 0;
  const body = `${JSON.stringify({ ready, reasons })}\n`;
  answer(response, ready ? 200 : 503, body, "application/json");
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
