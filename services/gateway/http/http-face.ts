import type { Registry } from "prom-client";
import { errorAnswer, jsonAnswer, textAnswer } from "./http-answer.ts";
import type { ConnectRpc } from "./connect-rpc.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";

/** Why the gateway should get no clients now; empty if it should. */
export type Readiness = () => readonly string[];

/** What the gateway answers over plain HTTP. */
export class HttpFace {
  readonly #rpc: ConnectRpc;
  readonly #registry: Registry;
  readonly #readiness: Readiness;
  readonly #page: string;
  readonly #webSocketPath: string;

  constructor(parts: {
    readonly rpc: ConnectRpc;
    readonly registry: Registry;
    readonly readiness: Readiness;
    readonly webSocketPath: string;
    readonly serverVersion: string;
  }) {
    this.#rpc = parts.rpc;
    this.#registry = parts.registry;
    this.#readiness = parts.readiness;
    this.#webSocketPath = parts.webSocketPath;
    this.#page = frontPage(parts.webSocketPath, parts.serverVersion);
  }

  /** Answers every request; unknown paths get 404. */
  async serve(request: HttpRequest): Promise<HttpResponse> {
    const rpc = await this.#rpc.serve(request);
    if (rpc !== undefined) return rpc;
    if (request.path === this.#webSocketPath) {
      const message = `${request.path} is a WebSocket with the subprotocol tickwire.v1`;
      return errorAnswer(426, "invalid_argument", message, { upgrade: "websocket" });
    }
    const serve = this.#pages[request.path];
    if (serve === undefined) {
      return errorAnswer(404, "not_found", `there is nothing at ${request.path}`);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `${request.method} is not allowed here; use GET`;
      return errorAnswer(405, "unimplemented", message, { allow: "GET, HEAD" });
    }
    return serve();
  }

  readonly #pages: Readonly<Record<string, () => HttpResponse | Promise<HttpResponse>>> = {
    "/": () => textAnswer(200, this.#page),
    "/healthz": () => textAnswer(200, "ok\n"),
    "/readyz": () => {
      const reasons = this.#readiness();
      return jsonAnswer(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
    },
    "/metrics": async () => ({
      status: 200,
      headers: { "content-type": this.#registry.contentType },
      body: await this.#registry.metrics(),
    }),
  };
}

function frontPage(webSocketPath: string, serverVersion: string): string {
  return `Tickwire gateway ${serverVersion}

Market data as binary protobuf frames over WebSocket, and typed RPC.

  WebSocket   ${webSocketPath}   subprotocol tickwire.v1 (see proto/README.md)
  RPC         POST /tickwire.v1.MarketData/<Method>   application/json or application/proto
  Health      /healthz   /readyz   /metrics

Try:

  curl -H 'content-type: application/json' -d '{}' \\
    http://HOST:PORT/tickwire.v1.MarketData/ListInstruments

  npx tickwire subscribe default '*:*/trades' --count 10
`;
}
