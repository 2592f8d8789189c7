import { quotedText } from "#core/visible-text.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import { errorAnswer, jsonAnswer } from "../../transport/http-answer.ts";
import type { HttpRequest, HttpResponse } from "../../transport/transport.ts";
import { errorJson } from "../connect-message.ts";
import type { SessionDoor, StreamFaceParts } from "./stream-parts.ts";
import { TextStreams } from "./text-streams.ts";

const METHODS = "GET, HEAD, POST, OPTIONS";
const PATHS: ReadonlySet<string> = new Set(["/v1/sse", "/v1/poll"]);

/** Sessions over plain HTTP: Server-Sent Events and long polling. */
export class StreamFace {
  readonly #texts: TextStreams;

  constructor(parts: StreamFaceParts) {
    this.#texts = new TextStreams(parts);
  }

  /** The answer; undefined if the path is none of these. */
  async serve(request: HttpRequest, door: SessionDoor): Promise<HttpResponse | undefined> {
    const { path, method } = request;
    if (!PATHS.has(path)) return undefined;
    if (method === "OPTIONS") return { status: 204, headers: { allow: METHODS }, body: "" };
    if (method !== "GET" && method !== "HEAD" && method !== "POST") {
      const message = `${quotedText(method)} is not allowed here; use ${METHODS}`;
      return errorAnswer(405, "unimplemented", message, { allow: METHODS });
    }
    try {
      if (path === "/v1/sse") return this.#texts.stream(request, door);
      return await this.#texts.poll(request, door);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return jsonAnswer(error.httpStatus, errorJson(error), { "cache-control": "no-store" });
    }
  }
}
