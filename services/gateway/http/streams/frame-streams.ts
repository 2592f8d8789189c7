import { Buffer } from "node:buffer";
import { RpcError } from "../../rpc/rpc-error.ts";
import type { Connection, HttpResponse, HttpStream } from "../../transport/transport.ts";
import type { AskedRequest } from "../asked-request.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { ConnectionIds } from "./connection-ids.ts";
import { EMPTY_FRAME, FrameConnection } from "./frame-connection.ts";
import { PollBox } from "./poll-box.ts";
import type { PollSessions } from "./poll-sessions.ts";
import type { SessionDoor, StreamFaceParts } from "./stream-parts.ts";

const FRAMES_TYPE = "application/proto";
const HEADERS = { "content-type": FRAMES_TYPE, "cache-control": "no-store, no-transform" };
const STREAM_HEADERS = { ...HEADERS, "x-accel-buffering": "no" };
const TOKEN = /^[\w-]{22,64}$/;
const NUMBER = /^\d{1,10}$/;

/** Whether the client wants frames of the binary protocol and not events in JSON. */
export function wantsFrames({ headers }: AskedRequest): boolean {
  return headers.get("accept")?.trim().toLowerCase() === FRAMES_TYPE;
}

/**
 * Sessions of the binary protocol over HTTP. The client names its session with a token that nobody
 * can guess, posts its frames, and gets the session's in one streamed answer, or in those of polls.
 */
export class FrameStreams {
  readonly #parts: StreamFaceParts;
  readonly #polled: PollSessions;
  readonly #ids: ConnectionIds;
  readonly #connections = new Map<string, FrameConnection>();

  constructor(parts: StreamFaceParts, polled: PollSessions, ids: ConnectionIds) {
    this.#parts = parts;
    this.#polled = polled;
    this.#ids = ids;
  }

  /** A session in one streamed answer. The body is the client's first frame. Throws RpcError. */
  stream(request: AskedRequest, door: SessionDoor): HttpResponse {
    const { token } = this.#read(request);
    this.#requireNew(token);
    const refusal = door.refusal();
    if (refusal !== undefined) return refusal;
    const body: HttpStream = {
      open: (writer) => {
        const connection = this.#connect(request);
        const { scheduler } = this.#parts;
        const answer = new AnswerWriter({ writer, scheduler, listener: connection });
        // The head leaves with it, so that the client knows that it is served.
        answer.write(EMPTY_FRAME);
        // Another request may have taken the name meanwhile: then that one has it.
        if (this.#connections.has(token)) answer.abort();
        else this.#open(token, connection, door, { writer: answer, kind: "frames" });
        connection.post(1, request.body);
        const stopBeating = this.#beat(connection, answer);
        return {
          onDrain: () => answer.onDrain(),
          onClose: () => {
            stopBeating();
            answer.onClose();
          },
        };
      },
    };
    return { status: 200, headers: STREAM_HEADERS, body };
  }

  /** One answer of polls. The first brings the client's first frame. Throws RpcError. */
  async poll(request: AskedRequest, door: SessionDoor): Promise<HttpResponse> {
    const { token, answer, waitMs } = this.#read(request);
    let session = this.#polled.get(token);
    if (session !== undefined && session.owner !== request.principal.id) throw unknownSession();
    if (session === undefined && answer > 0) throw unknownSession();
    if (session === undefined) {
      this.#requireNew(token);
      const refusal = door.refusal() ?? this.#polled.refusal(request.remoteAddress);
      if (refusal !== undefined) return refusal;
      session = this.#openPolled(request, token, door);
    }
    const polled = session.box.poll(answer, waitMs);
    if (polled === undefined) throw unknownSession();
    const { kind, body } = await polled;
    this.#parts.metrics.pollAnswers.inc({ kind });
    return { status: 200, headers: HEADERS, body };
  }

  /** Takes what a client sends, or that it leaves. Throws RpcError. */
  post(request: AskedRequest): HttpResponse {
    const { token, number, close } = this.#read(request);
    const connection = this.#connections.get(token);
    if (connection === undefined) throw unknownSession();
    const posted = connection.post(number, request.body);
    if (close !== undefined) connection.leave(close);
    else if (posted === "out-of-order") {
      throw new RpcError("failed_precondition", `request ${number} is not the next one`);
    }
    return { status: 204, headers: { "cache-control": "no-store" }, body: "" };
  }

  #open(
    token: string,
    connection: FrameConnection,
    door: SessionDoor,
    { writer, kind }: { readonly writer: AnswerWriter | PollBox; readonly kind: string },
  ): void {
    this.#parts.metrics.httpSessionsTotal.inc({ kind });
    connection.open(writer, (opened: Connection) => {
      const handler = door.accept(opened);
      this.#connections.set(token, connection);
      return {
        onMessage: (data, isBinary) => handler.onMessage(data, isBinary),
        onPong: (number) => handler.onPong(number),
        onDrain: () => handler.onDrain(),
        onClose: (code, reason) => {
          this.#connections.delete(token);
          handler.onClose(code, reason);
        },
      };
    });
  }

  #openPolled(request: AskedRequest, token: string, door: SessionDoor) {
    const { clock, scheduler, config } = this.#parts;
    const connection = this.#connect(request);
    const box = new PollBox({
      clock,
      scheduler,
      listener: connection,
      answerBytesMax: config.pollAnswerBytesMax,
      lingerMs: config.pollLingerMs,
      seal: (frames) => Buffer.concat(frames),
      onOver: () => this.#polled.remove(token),
    });
    const { remoteAddress } = request;
    const owner = request.principal.id;
    const session = { token, remoteAddress, owner, box, wishes: "" };
    this.#polled.add(session);
    this.#open(token, connection, door, { writer: box, kind: "polled-frames" });
    connection.post(1, request.body);
    return session;
  }

  #connect({ remoteAddress }: AskedRequest): FrameConnection {
    const { bufferedBytesMax } = this.#parts;
    return new FrameConnection({ id: this.#ids.next(), remoteAddress, bufferedBytesMax });
  }

  #requireNew(token: string): void {
    if (!this.#connections.has(token) && this.#polled.get(token) === undefined) return;
    throw new RpcError("already_exists", "there is a session of this name");
  }

  /** A sign of life whenever nothing was sent for a while; the result ends it. */
  #beat(connection: FrameConnection, answer: AnswerWriter): () => void {
    const { clock, config } = this.#parts;
    let cancel = () => {};
    const next = (): void => {
      cancel = clock.after(config.streamHeartbeatMs, () => {
        if (connection.takeSilence() && answer.bufferedBytes() === 0) answer.write(EMPTY_FRAME);
        next();
      });
    };
    next();
    return () => cancel();
  }

  #read({ query, headers, method, body }: AskedRequest) {
    if (method !== "POST") throw new RpcError("invalid_argument", "frames are posted");
    const [type = ""] = (headers.get("content-type") ?? "").split(";");
    if (body.byteLength > 0 && type.trim().toLowerCase() !== FRAMES_TYPE) {
      throw new RpcError("invalid_argument", `frames are of the content-type ${FRAMES_TYPE}`);
    }
    const parameters = new URLSearchParams(query);
    const token = parameters.get("session") ?? "";
    if (!TOKEN.test(token)) {
      const text = "session must be a name of 22 to 64 letters, digits, - and _";
      throw new RpcError("invalid_argument", text);
    }
    const { pollWaitMsMax } = this.#parts.config;
    return {
      token,
      number: numberOf(parameters, "number") ?? 0,
      answer: numberOf(parameters, "answer") ?? 0,
      close: numberOf(parameters, "close"),
      waitMs: Math.min(numberOf(parameters, "waitMs") ?? pollWaitMsMax, pollWaitMsMax),
    };
  }
}

function numberOf(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (!NUMBER.test(text)) {
    throw new RpcError("invalid_argument", `${name} must be a whole number that is not negative`);
  }
  return Number(text);
}

function unknownSession(): RpcError {
  return new RpcError("not_found", "there is no session of this name here");
}
