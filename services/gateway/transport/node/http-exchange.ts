import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { assert } from "#core/assert.ts";
import type { Admission } from "../admission.ts";
import type { BodyWatch } from "../body-watch.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import {
  badRequestAnswer,
  bodyTooLargeAnswer,
  isStream,
  limitAnswer,
  reasonPhrase,
} from "../http-answer.ts";
import type { PeerCertificate } from "../../access/credentials.ts";
import type { PeerAddresses } from "../peer-address.ts";
import { certificateOfSocket } from "../peer-certificate.ts";
import { RequestBody } from "../request-body.ts";
import { requestFault } from "../request-check.ts";
import type { HttpBytes, HttpResponse, RefusalLimit, TransportHandler } from "../transport.ts";
import { NodeWriter } from "./http-writer.ts";
import { readHeaders, splitUrl } from "./request.ts";

/** What the plain requests of a transport share. */
type NodeHttpParts = {
  readonly handler: Pick<TransportHandler<never>, "onHttp">;
  readonly guard: HandlerGuard;
  readonly addresses: PeerAddresses;
  readonly admission: Admission;
  readonly bodies: BodyWatch;
  readonly nowMs: () => number;
  readonly requestBytesMax: number;
  readonly bufferedBytesMax: number;
  /** Tells the handler, and never throws. */
  readonly onRefused: (limit: RefusalLimit) => void;
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
  exchange.admit();
}

/** One HTTP request and its answer. */
class HttpExchange {
  readonly startedAtMs: number;
  readonly #parts: NodeHttpParts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #remoteAddress: string;
  readonly #abort = new AbortController();
  readonly #body: RequestBody;
  #state: "receiving" | "handling" | "answered" | "closed" = "receiving";

  constructor(parts: NodeHttpParts, request: IncomingMessage, response: ServerResponse) {
    this.startedAtMs = parts.nowMs();
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
    this.#headers = readHeaders(request);
    const socketAddress = request.socket.remoteAddress ?? "";
    const remoteAddress = parts.addresses.clientOf(socketAddress, this.#headers);
    this.#remoteAddress = remoteAddress;
    const { admission, requestBytesMax } = parts;
    this.#body = new RequestBody({ admission, remoteAddress, requestBytesMax });
  }

  get receivedBytes(): number {
    return this.#body.byteLength;
  }

  /** Refuses a request that is wrong or one too many. */
  admit(): void {
    const { admission, addresses, bodies } = this.#parts;
    const owner = addresses.ownerOf(this.#request.socket.remoteAddress ?? "");
    const limit = admission.exceeded(owner) ?? admission.request(this.#remoteAddress);
    if (limit !== undefined) {
      this.refuseSlow(limit);
      return;
    }
    const fault = requestFault(this.#request.method ?? "GET", this.#headers);
    if (fault === undefined) bodies.add(this);
    else this.#refuse(badRequestAnswer(fault));
  }

  #certificate(): PeerCertificate | undefined {
    const { socket } = this.#request;
    const named = this.#parts.addresses.certificateOf(socket.remoteAddress ?? "", this.#headers);
    return named ?? certificateOfSocket(socket);
  }

  /** The answer is complete, or the client has gone. */
  closed(): void {
    this.#releaseBody();
    this.#state = "closed";
    if (!this.#response.writableEnded) this.#abort.abort();
  }

  receive(chunk: Buffer): void {
    if (this.#state !== "receiving") return;
    const limit = this.#body.add(chunk);
    if (limit !== undefined) this.refuseSlow(limit);
  }

  received(): void {
    if (this.#state !== "receiving" || this.#parts.guard.failed) return;
    this.#state = "handling";
    this.#parts.bodies.delete(this);
    this.#handle(this.#body.read());
  }

  /** Ends the request because of a limit. */
  refuseSlow(limit: RefusalLimit): void {
    this.#parts.onRefused(limit);
    this.#refuse(
      limit === "requestBytesMax"
        ? bodyTooLargeAnswer(this.#parts.requestBytesMax)
        : limitAnswer(limit),
    );
  }

  /** Answers before the body has arrived. */
  #refuse(answer: HttpResponse<HttpBytes>): void {
    this.#releaseBody();
    this.#state = "answered";
    this.#writeAnswer(answer);
  }

  #releaseBody(): void {
    this.#parts.bodies.delete(this);
    this.#body.release();
  }

  #handle(body: Uint8Array): void {
    const { handler, guard } = this.#parts;
    const request = this.#request;
    let answer: Promise<HttpResponse>;
    try {
      answer = handler.onHttp({
        method: request.method ?? "GET",
        ...splitUrl(request.url),
        headers: this.#headers,
        remoteAddress: this.#remoteAddress,
        certificate: this.#certificate(),
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
    this.#releaseBody();
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
