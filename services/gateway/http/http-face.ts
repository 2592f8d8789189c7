import { quotedText } from "#core/visible-text.ts";
import { errorAnswer, textAnswer } from "../transport/http-answer.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";
import type { AskedRequest } from "./asked-request.ts";
import type { ConnectRpc } from "./connect-rpc.ts";
import type { StaticFiles } from "./static-files.ts";
import type { StreamFace } from "./streams/stream-face.ts";
import type { SessionDoor } from "./streams/stream-parts.ts";

type HttpFaceParts = {
  readonly rpc: Pick<ConnectRpc, "serve">;
  readonly streams: Pick<StreamFace, "serve">;
  /** Stands before every path; empty, or with a slash at its begin and none at its end. */
  readonly pathPrefix: string;
  /** Without the prefix. */
  readonly webSocketPath: string;
  readonly serverVersion: string;
  /** The dashboard; undefined if it is not served. */
  readonly dashboard: Pick<StaticFiles, "serve"> | undefined;
};

/**
 * What the gateway answers to clients over plain HTTP: the RPCs, sessions that HTTP carries, and a
 * front page, which is the dashboard for a browser and text for everybody else.
 */
export class HttpFace {
  readonly #parts: HttpFaceParts;
  readonly #frontPage: string;

  constructor(parts: HttpFaceParts) {
    this.#parts = parts;
    this.#frontPage = frontPage(parts);
  }

  /** Answers every request; unknown paths get 404. */
  async serve(request: AskedRequest, door: SessionDoor): Promise<HttpResponse> {
    const { rpc, streams, webSocketPath, pathPrefix } = this.#parts;
    const path = this.#withoutPrefix(request.path);
    if (path === undefined) return this.#nothingThere(request);
    const own = { ...request, path };
    const answer = (await rpc.serve(own)) ?? (await streams.serve(own, door));
    if (answer !== undefined) return answer;
    if (path === webSocketPath) {
      const message = `${pathPrefix}${path} is a WebSocket with the subprotocol tickwire.v1`;
      return errorAnswer(426, "invalid_argument", message, { upgrade: "websocket" });
    }
    const page = this.#page(path, request);
    if (path !== "/" && page === undefined) return this.#nothingThere(request);
    if (request.method === "OPTIONS") {
      return { status: 204, headers: { allow: "GET, HEAD, OPTIONS" }, body: "" };
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `${quotedText(request.method)} is not allowed here; use GET`;
      return errorAnswer(405, "unimplemented", message, { allow: "GET, HEAD, OPTIONS" });
    }
    return page ?? this.#text();
  }

  /** The file of the dashboard at a path. At the root only a browser gets it. */
  #page(path: string, request: HttpRequest): ReturnType<StaticFiles["serve"]> {
    const { dashboard, pathPrefix } = this.#parts;
    const wantsHtml = request.headers.get("accept")?.includes("text/html") === true;
    if (dashboard === undefined || (path === "/" && !wantsHtml)) return undefined;
    // The page names its files relative to itself, so its address must end with a slash.
    if (path === "/" && request.path === pathPrefix && pathPrefix !== "") {
      const query = request.query === "" ? "" : `?${request.query}`;
      return { status: 308, headers: { location: `${pathPrefix}/${query}` }, body: "" };
    }
    return dashboard.serve(path, request);
  }

  #text(): HttpResponse {
    const answer = textAnswer(200, this.#frontPage);
    if (this.#parts.dashboard === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, vary: "accept" } };
  }

  /** The path as the gateway's own parts know it; undefined if it does not lie under the prefix. */
  #withoutPrefix(path: string): string | undefined {
    const { pathPrefix } = this.#parts;
    if (pathPrefix !== "" && path === pathPrefix) return "/";
    return path.startsWith(`${pathPrefix}/`) ? path.slice(pathPrefix.length) : undefined;
  }

  /** Says what was tried and what there is, because a wrong prefix is a mistake of every proxy. */
  #nothingThere({ path, headers }: HttpRequest): HttpResponse {
    const { pathPrefix, webSocketPath } = this.#parts;
    const tried = quotedText(path);
    if (headers.get("upgrade")?.toLowerCase() === "websocket") {
      const message = `there is no WebSocket at ${tried}; it is at ${pathPrefix}${webSocketPath}`;
      return errorAnswer(404, "not_found", message);
    }
    const where = pathPrefix === "" ? "" : `; this gateway serves what is below ${pathPrefix}`;
    return errorAnswer(404, "not_found", `there is nothing at ${tried}${where}`);
  }
}

function frontPage(parts: HttpFaceParts): string {
  const { pathPrefix, webSocketPath, serverVersion, dashboard } = parts;
  return `Tickwire gateway ${serverVersion}

Market data as binary protobuf frames over WebSocket, and typed RPC.
${dashboard === undefined ? "" : "A browser gets the dashboard at this address.\n"}
  WebSocket   ${pathPrefix}${webSocketPath}   subprotocol tickwire.v1 (see proto/README.md)
  RPC         POST ${pathPrefix}/tickwire.v1.MarketData/<Method>   application/json or application/proto
              GET the same with ?encoding=json&message={}   Connect protocol, also streams
  Streams     ${pathPrefix}/v1/sse?topics=...    Server-Sent Events, JSON (see docs/transports.md)
              ${pathPrefix}/v1/poll?topics=...   long polling, the same events

Try:

  curl -H 'content-type: application/json' -d '{}' \\
    http://HOST:PORT${pathPrefix}/tickwire.v1.MarketData/ListInstruments

  curl -N 'http://HOST:PORT${pathPrefix}/v1/sse?topics=*:*/trades'

  npx tickwire subscribe '*:*/trades' --count 10 --url http://HOST:PORT${pathPrefix}
`;
}
