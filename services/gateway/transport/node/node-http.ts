import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyTooLargeAnswer, internalErrorAnswer, reasonPhrase } from "../../http/http-answer.ts";
import type {
  HttpRequest,
  HttpResponse,
  TransportErrorListener,
  TransportHandler,
} from "../transport.ts";

/** Serves plain requests of a `node:http` server. */
export class NodeHttp {
  readonly #requestBytesMax: number;
  readonly #handler: TransportHandler;
  readonly #onError: TransportErrorListener;

  constructor(requestBytesMax: number, handler: TransportHandler, onError: TransportErrorListener) {
    this.#requestBytesMax = requestBytesMax;
    this.#handler = handler;
    this.#onError = onError;
  }

  /** Collects the body, asks the handler, answers. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const abort = new AbortController();
    const requestBytesMax = this.#requestBytesMax;
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("close", () => {
      if (!response.writableEnded) abort.abort();
    });
    request.on("error", () => abort.abort());
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= requestBytesMax) chunks.push(chunk);
      else if (!response.writableEnded) {
        this.#handler.onRefused("requestBytesMax");
        writeAnswer(request, response, bodyTooLargeAnswer(requestBytesMax));
      }
    });
    request.on("end", () => {
      if (bytes > requestBytesMax) return;
      // Both outcomes are answered in the function, so nothing is left to await.
      void this.#answer(request, response, Buffer.concat(chunks), abort.signal);
    });
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const { path, query } = splitUrl(request.url);
    const http: HttpRequest = {
      method: request.method ?? "GET",
      path,
      query,
      headers: headersOf(request),
      remoteAddress: request.socket.remoteAddress ?? "",
      body,
      signal,
    };
    try {
      writeAnswer(request, response, await this.#handler.onHttp(http));
    } catch (error) {
      this.#onError("http handler", error);
      writeAnswer(request, response, internalErrorAnswer());
    }
  }
}

function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, reasonPhrase(answer.status), {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

/** Header names in lower case; a header that came several times is joined with commas. */
export function headersOf(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
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
