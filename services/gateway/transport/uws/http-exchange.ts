import { assert } from "#core/assert.ts";
import type { Admission } from "../admission.ts";
import type { BodyWatch } from "../body-watch.ts";
import type { HandlerGuard } from "../handler-guard.ts";
import { afterCallbacks } from "../housekeeping.ts";
import { badRequestAnswer, bodyTooLargeAnswer, isStream, limitAnswer } from "../http-answer.ts";
import type { PeerCertificate } from "../../access/credentials.ts";
import type { PeerAddresses } from "../peer-address.ts";
import { RequestBody } from "../request-body.ts";
import { requestFault } from "../request-check.ts";
import type { HttpBytes, HttpResponse, RefusalLimit, TransportHandler } from "../transport.ts";
import type { UwsRequest, UwsResponse } from "../uws-module.ts";
import { UwsWriter } from "./http-writer.ts";
import { readHeaders, socketAddressOf, writeAnswer, writeHead } from "./request.ts";
import type { Exchange, ExchangeSocket, UwsSockets } from "./socket.ts";

/** What the plain requests of a transport share. */
type UwsHttpParts = {
  readonly handler: Pick<TransportHandler<never>, "onHttp">;
  readonly guard: HandlerGuard;
  readonly addresses: PeerAddresses;
  readonly admission: Admission;
  readonly sockets: UwsSockets;
  readonly bodies: BodyWatch;
  readonly nowMs: () => number;
  readonly requestBytesMax: number;
  readonly bufferedBytesMax: number;
  /** Tells the handler, and never throws. */
  readonly onRefused: (limit: RefusalLimit) => void;
};

/** Serves one plain request. Never throws. */
export function serveHttp(parts: UwsHttpParts, response: UwsResponse, request: UwsRequest): void {
  if (parts.guard.failed) {
    response.close();
    return;
  }
  parts.sockets.begin(new HttpExchange(parts, response, request), response);
}

/**
 * Answers an upgrade that is refused, once its callback has returned: until then the socket that it
 * came from is not known.
 */
export function refuseUpgrade(
  sockets: UwsSockets,
  response: UwsResponse,
  answer: HttpResponse<HttpBytes>,
): void {
  sockets.begin(new Refusal(response, answer), response);
}

class Refusal implements Exchange {
  readonly hasMissedNothing = true;
  readonly #response: UwsResponse;
  readonly #answer: HttpResponse<HttpBytes>;
  #isOpen = true;

  constructor(response: UwsResponse, answer: HttpResponse<HttpBytes>) {
    this.#response = response;
    this.#answer = { ...answer, headers: { ...answer.headers, connection: "close" } };
  }

  linked(socket: ExchangeSocket): void {
    afterCallbacks(() => {
      if (!this.#isOpen) return;
      socket.complete(() => writeAnswer(this.#response, this.#answer, false));
    });
  }

  receive(): void {}

  aborted(): void {
    this.#isOpen = false;
  }
}

/** One HTTP request and its answer. The request object is only valid in the constructor. */
class HttpExchange implements Exchange {
  readonly startedAtMs: number;
  readonly #parts: UwsHttpParts;
  readonly #response: UwsResponse;
  readonly #method: string;
  readonly #path: string;
  readonly #query: string;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #remoteAddress: string;
  readonly #certificate: PeerCertificate | undefined;
  readonly #abort = new AbortController();
  readonly #body: RequestBody;
  readonly #limit: RefusalLimit | undefined;
  #socket: ExchangeSocket | undefined;
  #state: "receiving" | "handling" | "streaming" | "done" = "receiving";
  #writer: UwsWriter | undefined;

  constructor(parts: UwsHttpParts, response: UwsResponse, request: UwsRequest) {
    const { addresses, admission } = parts;
    this.startedAtMs = parts.nowMs();
    this.#parts = parts;
    this.#response = response;
    this.#method = request.getMethod().toUpperCase();
    this.#path = request.getUrl();
    this.#query = request.getQuery() ?? "";
    this.#headers = readHeaders(request);
    const socketAddress = socketAddressOf(response);
    const remoteAddress = addresses.clientOf(socketAddress, this.#headers);
    this.#remoteAddress = remoteAddress;
    this.#certificate = addresses.certificateOf(socketAddress, this.#headers);
    this.#body = new RequestBody({
      admission,
      remoteAddress,
      requestBytesMax: parts.requestBytesMax,
    });
    this.#limit =
      admission.exceeded(addresses.ownerOf(socketAddress)) ??
      admission.request(this.#remoteAddress);
  }

  get hasMissedNothing(): boolean {
    return this.#headers.has("transfer-encoding");
  }

  get receivedBytes(): number {
    return this.#body.byteLength;
  }

  linked(socket: ExchangeSocket): void {
    this.#socket = socket;
    if (this.#limit !== undefined) {
      this.refuseSlow(this.#limit);
      return;
    }
    const fault = requestFault(this.#method, this.#headers);
    if (fault === undefined) this.#parts.bodies.add(this);
    else this.#refuse(badRequestAnswer(fault));
  }

  /** The client has gone, or the connection was cut by us: the response is dead. */
  aborted(): void {
    this.#releaseBody();
    if (this.#state === "done") return;
    this.#state = "done";
    this.#abort.abort();
    this.#writer?.gone();
  }

  receive(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#state !== "receiving") return;
    // The chunk's memory is only ours during the call, in which it is copied.
    const limit = this.#body.add(new Uint8Array(chunk));
    if (limit !== undefined) {
      this.refuseSlow(limit);
      return;
    }
    if (!isLast) return;
    this.#parts.bodies.delete(this);
    this.#state = "handling";
    // Answered once the callbacks of this request have returned; before that, its socket could not
    // be asked to tell of the next one.
    afterCallbacks(() => this.#handle());
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
    this.#state = "handling";
    this.#releaseBody();
    afterCallbacks(() => this.#answer(answer));
  }

  #releaseBody(): void {
    this.#parts.bodies.delete(this);
    this.#body.release();
  }

  #handle(): void {
    const { handler, guard } = this.#parts;
    if (this.#state !== "handling" || guard.failed) return;
    const body = this.#body.read();
    let answer: Promise<HttpResponse>;
    try {
      answer = handler.onHttp({
        method: this.#method,
        path: this.#path,
        query: this.#query,
        headers: this.#headers,
        remoteAddress: this.#remoteAddress,
        certificate: this.#certificate,
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

  #answer(given: HttpResponse): void {
    this.#releaseBody();
    if (this.#state === "done" || this.#parts.guard.failed) return;
    assert(this.#state === "handling", "a request is answered once");
    const closes = this.#socket?.closes === true;
    const headers = closes ? { ...given.headers, connection: "close" } : given.headers;
    const answer = { ...given, headers };
    const { body } = answer;
    if (!isStream(body)) {
      const withoutBody = this.#method === "HEAD";
      this.#complete(() => writeAnswer(this.#response, { ...answer, body }, withoutBody));
      return;
    }
    if (this.#method === "HEAD") {
      this.#complete(() =>
        this.#response.cork(() => {
          writeHead(this.#response, answer);
          this.#response.endWithoutBody(undefined, closes);
        }),
      );
      return;
    }
    this.#state = "streaming";
    // Once its head is sent, uWebSockets.js cannot close behind a stream: the client is asked to,
    // and cut when it has been idle for some seconds.
    this.#response.cork(() => {
      writeHead(this.#response, answer);
      if (closes) this.#response.writeHeader("connection", "close");
    });
    const { guard, bufferedBytesMax } = this.#parts;
    this.#writer = new UwsWriter({
      response: this.#response,
      guard,
      bufferedBytesMax,
      complete: (write) => this.#complete(write),
    });
    this.#writer.open(body);
  }

  #complete(write: () => void): void {
    assert(this.#socket !== undefined, "a request is answered when its socket is known");
    this.#state = "done";
    this.#socket.complete(write);
  }
}
