import { Buffer } from "node:buffer";
import { RpcError } from "../../rpc/rpc-error.ts";
import type { Connection, HttpResponse, HttpStream } from "../../transport/transport.ts";
import type { AskedRequest } from "../asked-request.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { ConnectionIds } from "./connection-ids.ts";
import { EMPTY_FRAME, FrameConnection } from "./frame-connection.ts";
import { PollBox } from "./poll-box.ts";
import type { PollSessions } from "./poll-sessions.ts";
import type { SessionQuestion, SessionRelay, SessionReply } from "./session-relay.ts";
import type { SessionDoor, StreamFaceParts, StreamStock } from "./stream-parts.ts";

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
  readonly #relay: SessionRelay;
  readonly #connections = new Map<string, FrameConnection>();

  constructor(parts: StreamFaceParts, { polled, ids, relay }: StreamStock) {
    this.#parts = parts;
    this.#polled = polled;
    this.#ids = ids;
    this.#relay = relay;
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
    const owner = request.principal.id;
    const question = { kind: "poll", answer, waitMs, owner, wishes: "" } as const;
    if (answer === 0 && this.#polled.get(token) === undefined) {
      this.#requireNew(token);
      const refusal = door.refusal() ?? this.#polled.refusal(request.remoteAddress);
      if (refusal !== undefined) return refusal;
      this.#openPolled(request, token, door);
    }
    const { body } = await this.#ask(token, question, new Uint8Array());
    return { status: 200, headers: HEADERS, body };
  }

  /** Takes what a client sends, or that it leaves. Throws RpcError. */
  async post(request: AskedRequest): Promise<HttpResponse> {
    const { token, number, close } = this.#read(request);
    await this.#ask(token, { kind: "post", number, close }, request.body);
    return { status: 204, headers: { "cache-control": "no-store" }, body: "" };
  }

  /** Asks the session, wherever it is. Throws RpcError unless it does what is asked. */
  async #ask(token: string, question: SessionQuestion, frame: Uint8Array): Promise<SessionReply> {
    const isHere = this.#connections.has(token) || this.#polled.get(token) !== undefined;
    const reply = isHere
      ? await this.#answer(token, question, frame)
      : await this.#relay.ask(token, question, frame);
    if (!isHere) this.#parts.metrics.sessionRelays.inc({ outcome: reply.outcome });
    switch (reply.outcome) {
      case "done":
        return reply;
      case "unknown":
        throw new RpcError("not_found", "there is no session of this name");
      case "out-of-order":
        throw new RpcError("failed_precondition", "the request is not the next one");
      case "unavailable":
        throw new RpcError("unavailable", "the gateway of the session does not answer now");
    }
  }

  /** Does what a client asks of a session that is here, or was a moment ago. */
  async #answer(
    token: string,
    question: SessionQuestion,
    frame: Uint8Array,
  ): Promise<SessionReply> {
    const nothing = new Uint8Array();
    if (question.kind === "post") {
      const connection = this.#connections.get(token);
      if (connection === undefined) return { outcome: "unknown", body: nothing };
      const posted = connection.post(question.number, frame);
      if (question.close !== undefined) connection.leave(question.close);
      else if (posted === "out-of-order") return { outcome: "out-of-order", body: nothing };
      return { outcome: "done", body: nothing };
    }
    const session = this.#polled.get(token);
    const isOwn = session?.owner === question.owner;
    const polled = isOwn ? session.box.poll(question.answer, question.waitMs) : undefined;
    if (polled === undefined) return { outcome: "unknown", body: nothing };
    const { kind, body } = await polled;
    this.#parts.metrics.pollAnswers.inc({ kind });
    return { outcome: "done", body };
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
      const stopServing = this.#relay.serve(token, (question, frame) => {
        return this.#answer(token, question, frame);
      });
      return {
        onMessage: (data, isBinary) => handler.onMessage(data, isBinary),
        onPong: (number) => handler.onPong(number),
        onDrain: () => handler.onDrain(),
        onClose: (code, reason) => {
          this.#connections.delete(token);
          stopServing();
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
