import { quotedText } from "#core/visible-text.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import { errorAnswer, jsonAnswer } from "../../transport/http-answer.ts";
import type { HttpResponse } from "../../transport/transport.ts";
import type { AskedRequest } from "../asked-request.ts";
import { errorJson } from "../connect-message.ts";
import { ConnectionIds } from "./connection-ids.ts";
import { FrameStreams, wantsFrames } from "./frame-streams.ts";
import { PollSessions } from "./poll-sessions.ts";
import { SessionRelay } from "./session-relay.ts";
import type { SessionDoor, StreamFaceParts } from "./stream-parts.ts";
import { TextStreams } from "./text-streams.ts";

const PATHS: ReadonlySet<string> = new Set(["/v1/sse", "/v1/poll", "/v1/session"]);

/** Sessions over plain HTTP: Server-Sent Events and long polling. */
export class StreamFace {
  readonly #texts: TextStreams;
  readonly #frames: FrameStreams;

  constructor(parts: StreamFaceParts) {
    const { bus, config, metrics, polledTogether } = parts;
    const stock = {
      polled: new PollSessions(config, metrics, polledTogether),
      ids: new ConnectionIds(),
      relay: new SessionRelay({ bus, queryTimeoutMs: config.queryTimeoutMs }),
    };
    this.#texts = new TextStreams(parts, stock);
    this.#frames = new FrameStreams(parts, stock);
  }

  /** The answer; undefined if the path is none of these. */
  async serve(request: AskedRequest, door: SessionDoor): Promise<HttpResponse | undefined> {
    const { path, method } = request;
    if (!PATHS.has(path)) return undefined;
    const allow = path === "/v1/session" ? "POST, OPTIONS" : "GET, HEAD, POST, OPTIONS";
    if (method === "OPTIONS") return { status: 204, headers: { allow }, body: "" };
    if (!allow.split(", ").includes(method)) {
      const message = `${quotedText(method)} is not allowed here; use ${allow}`;
      return errorAnswer(405, "unimplemented", message, { allow });
    }
    try {
      if (path === "/v1/session") return await this.#frames.post(request);
      const streams = wantsFrames(request) ? this.#frames : this.#texts;
      if (path === "/v1/sse") return streams.stream(request, door);
      return await streams.poll(request, door);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return jsonAnswer(error.httpStatus, errorJson(error), { "cache-control": "no-store" });
    }
  }
}
