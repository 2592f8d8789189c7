import { WebSocket } from "ws";
import type { SocketHost, WebSocketLike } from "./environment.ts";
import { explainRefusal, explainSocketFailure } from "./socket-failure.ts";

// What a gateway may send in one message: a whole book of a large venue is a few MB.
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** Of the answer of a server that does not accept the WebSocket. */
const REFUSAL_BYTES_MAX = 4 * 1024;
const REFUSAL_TIMEOUT_MS = 2_000;

/** Sockets of the package `ws`: Node 20 has no WebSocket of its own. */
export const nodeSockets: SocketHost = {
  openWebSocket(url, protocols, { compression }) {
    const socket = new WebSocket(url, protocols, {
      perMessageDeflate: compression,
      maxPayload: FRAME_BYTES_MAX,
    });
    // Frames then come as views of what was read, without a copy.
    socket.binaryType = "nodebuffer";
    socket.on("unexpected-response", (request, response) => {
      readRefusal(request, response, (error) => {
        // In this order: the first error is the one that is told.
        socket.emit("error", error);
        socket.terminate();
      });
    });
    return socket as unknown as WebSocketLike;
  },
  explainFailure: explainSocketFailure,
};

/** What is looked at of an answer of Node's HTTP client. */
type HttpAnswer = {
  readonly statusCode?: number | undefined;
  readonly headers: { readonly location?: string | undefined };
  setEncoding(encoding: "utf8"): unknown;
  setTimeout(delayMs: number, callback: () => void): unknown;
  on(event: "data", listener: (text: string) => void): unknown;
  on(event: "end" | "close" | "error", listener: () => void): unknown;
  destroy(): unknown;
};

/** Calls back once, when the answer is there as far as it is read. */
function readRefusal(
  request: { readonly path: string },
  response: HttpAnswer,
  done: (error: Error) => void,
): void {
  let body = "";
  let isDone = false;
  const finish = () => {
    if (isDone) return;
    isDone = true;
    response.destroy();
    const { statusCode: status = 0, headers } = response;
    const [path = ""] = request.path.split("?", 1);
    done(new Error(explainRefusal({ status, path, location: headers.location, body })));
  };
  response.setEncoding("utf8");
  response.setTimeout(REFUSAL_TIMEOUT_MS, finish);
  response.on("data", (text: string) => {
    body += text;
    if (body.length > REFUSAL_BYTES_MAX) finish();
  });
  response.on("end", finish);
  response.on("close", finish);
  response.on("error", finish);
}
