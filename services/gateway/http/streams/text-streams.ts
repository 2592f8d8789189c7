import { parseTopic } from "#core/topic.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import type { HttpResponse } from "../../transport/transport.ts";
import type { AskedRequest } from "../asked-request.ts";
import { acceptsGzip, deflateMessage } from "../gzip.ts";
import type { ConnectionIds } from "./connection-ids.ts";
import { EventStream } from "./event-stream.ts";
import { PollBox } from "./poll-box.ts";
import type { PollSession, PollSessions } from "./poll-sessions.ts";
import { PollText } from "./poll-text.ts";
import type { SessionQuestion, SessionRelay } from "./session-relay.ts";
import { CursorWriter, readCursor } from "./stream-cursor.ts";
import type { StreamCursor } from "./stream-cursor.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { SessionDoor, StreamFaceParts, StreamStock } from "./stream-parts.ts";
import { readStreamRequest } from "./stream-request.ts";
import type { StreamRequest } from "./stream-request.ts";
import { TextConnection } from "./text-connection.ts";
import { ToldBatches } from "./told-batches.ts";

/** Nothing between here and the client is to keep or change a stream. */
const HEADERS = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };
const POLL_HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  vary: "accept-encoding",
};

/** Where a client stands, and which of its sessions goes on. */
type Standing = {
  readonly request: StreamRequest;
  readonly positions: ReadonlyMap<string, TopicPosition>;
  readonly session: StreamCursor["session"];
  /** Why the client does not go on from where it stood, though it did not say so itself. */
  readonly warning: string | undefined;
};

/** Streams of JSON for clients that have nothing but HTTP. */
export class TextStreams {
  readonly #parts: StreamFaceParts;
  readonly #sessions: PollSessions;
  readonly #ids: ConnectionIds;
  readonly #relay: SessionRelay;
  readonly #told: ToldBatches;

  constructor(parts: StreamFaceParts, { polled, ids, relay }: StreamStock) {
    this.#parts = parts;
    this.#sessions = polled;
    this.#ids = ids;
    this.#relay = relay;
    this.#told = new ToldBatches(parts.metrics.toldBatches);
  }

  /** A session as Server-Sent Events. Throws RpcError. */
  stream(request: AskedRequest, door: SessionDoor): HttpResponse {
    const standing = this.#readStanding(request);
    const refusal = door.refusal();
    if (refusal !== undefined) return refusal;
    const { clock, scheduler, config, metrics } = this.#parts;
    const gzips = this.#gzips(request);
    const body = new EventStream({
      clock,
      scheduler,
      heartbeatMs: config.streamHeartbeatMs,
      connect: (render) => this.#connect(request, standing, render),
      accept: (connection) => {
        metrics.httpSessionsTotal.inc({ kind: "sse" });
        return door.accept(connection);
      },
      gzips,
      warning: standing.warning,
      onCursorTooLong: () => metrics.cursorsTooLong.inc(),
    });
    const encoding = gzips ? { "content-encoding": "gzip" } : {};
    const type = { "content-type": "text/event-stream", vary: "accept-encoding" };
    return { status: 200, headers: { ...type, ...HEADERS, ...encoding }, body };
  }

  /** One answer of long polling. Throws RpcError. */
  async poll(request: AskedRequest, door: SessionDoor): Promise<HttpResponse> {
    const standing = this.#readStanding(request);
    const { config } = this.#parts;
    const { pollWaitMsMax } = config;
    const waitMs = Math.min(standing.request.waitMs ?? pollWaitMsMax, pollWaitMsMax);
    if (request.method === "HEAD") return { status: 200, headers: POLL_HEADERS, body: "" };
    const body =
      (await this.#goOn(request, standing, waitMs)) ??
      (await this.#beginPolling(request, standing, door, waitMs));
    if (!(body instanceof Uint8Array)) return body;
    if (!this.#gzips(request) || body.byteLength < config.compressBytesMin) {
      return { status: 200, headers: POLL_HEADERS, body };
    }
    const headers = { ...POLL_HEADERS, "content-encoding": "gzip" };
    return { status: 200, headers, body: await deflateMessage(body) };
  }

  #gzips({ headers }: AskedRequest): boolean {
    return this.#parts.config.compression && acceptsGzip(headers.get("accept-encoding"));
  }

  #readStanding(request: AskedRequest): Standing {
    const { config } = this.#parts;
    if (request.principal.isNobody) {
      throw new RpcError("unauthenticated", "show an API key or a token, as docs/access.md says");
    }
    const read = readStreamRequest(request, config);
    const names = read.topics.map(({ topic }) => topic);
    const positions = new Map<string, TopicPosition>();
    for (const { topic, resume } of read.topics) {
      if (resume !== undefined) positions.set(topic, resume);
    }
    const anew = { request: read, positions, session: undefined, warning: undefined };
    if (read.cursor === undefined) return anew;
    const reading = readCursor(read.cursor, names);
    if (reading.kind === "fault") {
      const message = `the cursor cannot be used: ${reading.message}`;
      if (read.isCursorAutomatic) return { ...anew, warning: message };
      throw new RpcError("invalid_argument", message);
    }
    // What the client has received since counts more than where it began.
    for (const [topic, position] of reading.cursor.positions) positions.set(topic, position);
    if (positions.size > config.subscriptionsMax) {
      const message = `the cursor has more than subscriptionsMax ${config.subscriptionsMax} topics`;
      throw new RpcError("invalid_argument", message);
    }
    return { ...anew, session: reading.cursor.session };
  }

  /** The answer of the session that the client has, wherever that is; undefined if it is gone. */
  async #goOn(
    { principal }: AskedRequest,
    { session, request }: Standing,
    waitMs: number,
  ): Promise<Uint8Array | undefined> {
    if (session === undefined) return undefined;
    const { token, answer } = session;
    const { id: owner } = principal;
    const wishes = wishesOf(request);
    const question = { kind: "poll", answer, waitMs, owner, wishes } as const;
    if (this.#sessions.get(token) !== undefined) return this.#pollHere(token, question);
    const reply = await this.#relay.ask(token, question, new Uint8Array());
    this.#parts.metrics.sessionRelays.inc({ outcome: reply.outcome });
    return reply.outcome === "done" ? reply.body : undefined;
  }

  async #pollHere(
    token: string,
    question: Extract<SessionQuestion, { kind: "poll" }>,
  ): Promise<Uint8Array | undefined> {
    const session = this.#sessions.get(token);
    if (session === undefined || session.owner !== question.owner) return undefined;
    const isSame = session.wishes === question.wishes;
    const polled = isSame ? session.box.poll(question.answer, question.waitMs) : undefined;
    if (polled === undefined) {
      // The client wants something else now, or has lost more than is kept: it begins anew.
      session.box.giveUp();
      return undefined;
    }
    const { kind, body } = await polled;
    this.#parts.metrics.pollAnswers.inc({ kind });
    return body;
  }

  async #beginPolling(
    request: AskedRequest,
    standing: Standing,
    door: SessionDoor,
    waitMs: number,
  ): Promise<Uint8Array | HttpResponse> {
    const opened = this.#openSession(request, standing, door);
    if ("status" in opened) return opened;
    const { token, owner, wishes } = opened;
    const question = { kind: "poll", answer: 0, waitMs, owner, wishes } as const;
    const body = await this.#pollHere(token, question);
    if (body === undefined) throw new RpcError("unavailable", "the session has just ended");
    return body;
  }

  #openSession(
    request: AskedRequest,
    standing: Standing,
    door: SessionDoor,
  ): PollSession | HttpResponse {
    const refusal = door.refusal() ?? this.#sessions.refusal(request.remoteAddress);
    if (refusal !== undefined) return refusal;
    const { clock, scheduler, config, metrics, createToken } = this.#parts;
    const token = createToken();
    const names = standing.request.topics.map(({ topic }) => topic);
    const text: PollText = new PollText({
      token,
      firstCursor: (session) => new CursorWriter(names).write(standing.positions, session),
      connection: () => connection,
    });
    const connection = this.#connect(request, standing, (event) => text.render(event));
    const box = new PollBox({
      clock,
      scheduler,
      listener: connection,
      answerBytesMax: config.pollAnswerBytesMax,
      lingerMs: config.pollLingerMs,
      seal: (events, number) => text.seal(events, number),
      onOver: () => {
        this.#sessions.remove(token);
        stopServing();
      },
    });
    const stopServing = this.#relay.serve(token, async (question) => {
      const body = question.kind === "poll" ? await this.#pollHere(token, question) : undefined;
      const outcome = body === undefined ? "unknown" : "done";
      return { outcome, body: body ?? new Uint8Array() };
    });
    const { remoteAddress } = request;
    const owner = request.principal.id;
    const session = { token, remoteAddress, owner, box, wishes: wishesOf(standing.request) };
    this.#sessions.add(session);
    metrics.httpSessionsTotal.inc({ kind: "poll" });
    connection.open(box, (opened) => door.accept(opened));
    return session;
  }

  #connect(
    { remoteAddress, principal }: AskedRequest,
    { request, positions }: Standing,
    render: (event: StreamEvent, of: TextConnection) => Uint8Array | undefined,
  ): TextConnection {
    const { clock, turns, config, bufferedBytesMax } = this.#parts;
    const { topicsPerRequestMax } = config;
    return new TextConnection({
      id: this.#ids.next(),
      remoteAddress,
      clock,
      line: turns.open(),
      limits: { bufferedBytesMax, topicsPerRequestMax },
      topics: request.topics,
      positions,
      clientName: request.clientName,
      // Who has a topic later than others has views of his own.
      sharedOf: (topic) => {
        const name = parseTopic(topic);
        const terms = name && principal.may("subscribe", name);
        return terms?.delayMs === 0 ? this.#told : undefined;
      },
      render,
    });
  }
}

/** Everything that a session was made for, to compare it with what is asked later. */
function wishesOf({ topics }: StreamRequest): string {
  return JSON.stringify(
    topics.map(({ topic, depth, conflationIntervalMs, snapshot }) => {
      return [topic, depth, conflationIntervalMs, snapshot];
    }),
  );
}
