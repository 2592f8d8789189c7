import { errorAnswer, textAnswer } from "../transport/http-answer.ts";
import type { ConnectRpc } from "./connect-rpc.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";

/** What the gateway answers to clients over plain HTTP: the RPCs and a front page. */
export class HttpFace {
  readonly #rpc: Pick<ConnectRpc, "serve">;
  readonly #page: string;
  readonly #webSocketPath: string;

  constructor(parts: {
    readonly rpc: Pick<ConnectRpc, "serve">;
    readonly webSocketPath: string;
    readonly serverVersion: string;
  }) {
    this.#rpc = parts.rpc;
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
    if (request.path !== "/") {
      return errorAnswer(404, "not_found", `there is nothing at ${request.path}`);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `${request.method} is not allowed here; use GET`;
      return errorAnswer(405, "unimplemented", message, { allow: "GET, HEAD" });
    }
    return textAnswer(200, this.#page);
  }
}

function frontPage(webSocketPath: string, serverVersion: string): string {
  return `Tickwire gateway ${serverVersion}

Market data as binary protobuf frames over WebSocket, and typed RPC.

  WebSocket   ${webSocketPath}   subprotocol tickwire.v1 (see proto/README.md)
  RPC         POST /tickwire.v1.MarketData/<Method>   application/json or application/proto

Try:

  curl -H 'content-type: application/json' -d '{}' \\
    http://HOST:PORT/tickwire.v1.MarketData/ListInstruments

  npx tickwire subscribe default '*:*/trades' --count 10
`;
}
