import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { assert } from "#core/assert.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { bodyTooLargeAnswer, isStream, reasonPhrase } from "../http-answer.ts";
import type { PeerAddresses } from "../peer-address.ts";
import { addHeader } from "../request-headers.ts";
import type { HttpBytes, HttpResponse, TransportHandler } from "../transport.ts";
import { NodeWriter } from "./http-writer.ts";

/** What the plain requests of a transport share. */
type NodeHttpParts = {
  readonly handler: Pick<TransportHandler<never>, "onHttp" | "onRefused">;
  readonly guard: HandlerGuard;
  readonly addresses: PeerAddresses;
  readonly requestBytesMax: number;
  readonly bufferedBytesMax: number;
};

/** Serves one plain request. Never throws. */
export function serveHttp(
  parts: NodeHttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (parts.guard.failed) {
    response.destroy();
    return;
  }
  const exchange = new HttpExchange(parts, request, response);
  response.on("close", () => exchange.closed());
  request.on("error", () => response.destroy());
  request.on("data", (chunk: Buffer) => exchange.receive(chunk));
  request.on("end", () => exchange.received());
}

/**
 * Header names in lower case. Taken from the raw lines, because node:http keeps only the first of
 * some headers that are repeated.
 */
export function readHeaders(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    addHeader(headers, (rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? "");
  }
  return headers;
}

/** Splits a request target at its first question mark. */
export function splitUrl(url: string | undefined): { path: string; query: string } {
  const text = url ?? "/";
  const mark = text.indexOf("?");
  if (mark < 0) return { path: text, query: "" };
  return { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

/** Answers an upgrade that is refused; node:http gives it a bare socket. */
export function refuseUpgrade(socket: Duplex, answer: HttpResponse<HttpBytes>): void {
  const headers = {
    ...answer.headers,
    "content-length": String(Buffer.byteLength(answer.body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${answer.status} ${reasonPhrase(answer.status)}\r\n${lines.join("")}\r\n`);
  socket.end(answer.body);
}

/** One HTTP request and its answer. */
class HttpExchange {
  readonly #parts: NodeHttpParts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #abort = new AbortController();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #state: "receiving" | "handling" | "answered" | "closed" = "receiving";

  constructor(parts: NodeHttpParts, request: IncomingMessage, response: ServerResponse) {
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
  }

  /** The answer is complete, or the client has gone. */
  closed(): void {
    this.#state = "closed";
    if (!this.#response.writableEnded) this.#abort.abort();
  }

  receive(chunk: Buffer): void {
    if (this.#state !== "receiving") return;
    const { requestBytesMax, handler, guard } = this.#parts;
    this.#bytes += chunk.length;
    if (this.#bytes <= requestBytesMax) {
      this.#chunks.push(chunk);
      return;
    }
    this.#state = "answered";
    try {
      handler.onRefused("requestBytesMax");
    } catch (error) {
      guard.fail("onRefused", error);
    }
    this.#writeAnswer(bodyTooLargeAnswer(requestBytesMax));
  }

  received(): void {
    if (this.#state !== "receiving" || this.#parts.guard.failed) return;
    this.#state = "handling";
    this.#handle(Buffer.concat(this.#chunks));
  }

  #handle(body: Uint8Array): void {
    const { handler, guard, addresses } = this.#parts;
    const request = this.#request;
    const headers = readHeaders(request);
    let answer: Promise<HttpResponse>;
    try {
      answer = handler.onHttp({
        method: request.method ?? "GET",
        ...splitUrl(request.url),
        headers,
        remoteAddress: addresses.clientOf(request.socket.remoteAddress ?? "", headers),
        body,
        signal: this.#abort.signal,
      });
    } catch (error) {
      guard.fail("onHttp", error);
      return;
    }
    // Both outcomes are handled here, so nothing is left to await.
    void answer.then(
      (response) => this.#answer(response),
      (error: unknown) => guard.fail("onHttp", error),
    );
  }

  #answer(answer: HttpResponse): void {
    const { guard, bufferedBytesMax } = this.#parts;
    if (this.#state === "closed" || guard.failed) return;
    assert(this.#state === "handling", "a request is answered once");
    this.#state = "answered";
    const { body } = answer;
    if (!isStream(body)) {
      this.#writeAnswer({ ...answer, body });
      return;
    }
    const response = this.#response;
    response.writeHead(answer.status, reasonPhrase(answer.status), answer.headers);
    if (this.#request.method === "HEAD") response.end();
    else new NodeWriter({ response, guard, bufferedBytesMax }).open(body);
  }

  #writeAnswer(answer: HttpResponse<HttpBytes>): void {
    this.#response.writeHead(answer.status, reasonPhrase(answer.status), {
      ...answer.headers,
      "content-length": Buffer.byteLength(answer.body),
    });
    this.#response.end(this.#request.method === "HEAD" ? undefined : answer.body);
  }
}
