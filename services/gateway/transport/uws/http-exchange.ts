import { Buffer } from "node:buffer";
import { assert } from "#core/assert.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { bodyTooLargeAnswer, isStream, reasonPhrase } from "../http-answer.ts";
import type { PeerAddresses } from "../peer-address.ts";
import { addHeader } from "../request-headers.ts";
import type { HttpBytes, HttpResponse, TransportHandler } from "../transport.ts";
import type { UwsRequest, UwsResponse } from "../uws-module.ts";
import { UwsWriter } from "./http-writer.ts";

/** What the plain requests of a transport share. */
type UwsHttpParts = {
  readonly handler: Pick<TransportHandler<never>, "onHttp" | "onRefused">;
  readonly guard: HandlerGuard;
  readonly addresses: PeerAddresses;
  readonly requestBytesMax: number;
  readonly bufferedBytesMax: number;
};

/** Serves one plain request. Never throws. */
export function serveHttp(parts: UwsHttpParts, response: UwsResponse, request: UwsRequest): void {
  if (parts.guard.failed) {
    response.close();
    return;
  }
  const exchange = new HttpExchange(parts, response, request);
  response.onAborted(() => exchange.aborted());
  response.onData((chunk, isLast) => exchange.receive(chunk, isLast));
}

/** Header names in lower case. Must be called before the request's callback returns. */
export function readHeaders(request: UwsRequest): Map<string, string> {
  const headers = new Map<string, string>();
  request.forEach((name, value) => addHeader(headers, name, value));
  return headers;
}

/** The address of the socket's other end. */
export function socketAddressOf(response: UwsResponse): string {
  return Buffer.from(response.getRemoteAddressAsText()).toString("latin1");
}

/** Writes a whole answer; `response` must not be touched after it. */
export function writeAnswer(
  response: UwsResponse,
  answer: HttpResponse<HttpBytes>,
  withoutBody: boolean,
): void {
  response.cork(() => {
    writeHead(response, answer);
    if (withoutBody) response.endWithoutBody(Buffer.byteLength(answer.body));
    else response.end(answer.body);
  });
}

function writeHead(response: UwsResponse, answer: HttpResponse): void {
  response.writeStatus(`${answer.status} ${reasonPhrase(answer.status)}`);
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
}

/** One HTTP request and its answer. The request object is only valid in the constructor. */
class HttpExchange {
  readonly #parts: UwsHttpParts;
  readonly #response: UwsResponse;
  readonly #method: string;
  readonly #path: string;
  readonly #query: string;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #remoteAddress: string;
  readonly #abort = new AbortController();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #state: "receiving" | "handling" | "streaming" | "done" = "receiving";
  #writer: UwsWriter | undefined;

  constructor(parts: UwsHttpParts, response: UwsResponse, request: UwsRequest) {
    this.#parts = parts;
    this.#response = response;
    this.#method = request.getMethod().toUpperCase();
    this.#path = request.getUrl();
    this.#query = request.getQuery() ?? "";
    this.#headers = readHeaders(request);
    this.#remoteAddress = parts.addresses.clientOf(socketAddressOf(response), this.#headers);
  }

  /** The client has gone, or the connection was cut by us: the response is dead. */
  aborted(): void {
    if (this.#state === "done") return;
    this.#state = "done";
    this.#abort.abort();
    this.#writer?.gone();
  }

  receive(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#state !== "receiving") return;
    const { requestBytesMax } = this.#parts;
    this.#bytes += chunk.byteLength;
    if (this.#bytes > requestBytesMax) {
      this.#refuseBody(requestBytesMax);
      return;
    }
    // The chunk's memory is only ours during the call.
    if (chunk.byteLength > 0) this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (!isLast) return;
    this.#state = "handling";
    const [only] = this.#chunks;
    this.#handle(
      only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks),
    );
  }

  #refuseBody(requestBytesMax: number): void {
    this.#state = "done";
    try {
      this.#parts.handler.onRefused("requestBytesMax");
    } catch (error) {
      this.#parts.guard.fail("onRefused", error);
    }
    writeAnswer(this.#response, bodyTooLargeAnswer(requestBytesMax), false);
  }

  #handle(body: Uint8Array): void {
    const { handler, guard } = this.#parts;
    if (guard.failed) return;
    let answer: Promise<HttpResponse>;
    try {
      answer = handler.onHttp({
        method: this.#method,
        path: this.#path,
        query: this.#query,
        headers: this.#headers,
        remoteAddress: this.#remoteAddress,
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
    if (this.#state === "done" || this.#parts.guard.failed) return;
    assert(this.#state === "handling", "a request is answered once");
    const { body } = answer;
    if (!isStream(body)) {
      this.#state = "done";
      writeAnswer(this.#response, { ...answer, body }, this.#method === "HEAD");
      return;
    }
    if (this.#method === "HEAD") {
      this.#state = "done";
      this.#response.cork(() => {
        writeHead(this.#response, answer);
        this.#response.endWithoutBody();
      });
      return;
    }
    this.#state = "streaming";
    this.#response.cork(() => writeHead(this.#response, answer));
    const { guard, bufferedBytesMax } = this.#parts;
    this.#writer = new UwsWriter({
      response: this.#response,
      guard,
      bufferedBytesMax,
      onEnd: () => {
        this.#state = "done";
      },
    });
    this.#writer.open(body);
  }
}
