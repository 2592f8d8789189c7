import type { TopicPosition } from "../../topics/batch-order.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import type { HttpResponse } from "../../transport/transport.ts";
import type { AskedRequest } from "../asked-request.ts";
import type { ConnectionIds } from "./connection-ids.ts";
import { EventStream } from "./event-stream.ts";
import { PollBox } from "./poll-box.ts";
import type { PollSession, PollSessions } from "./poll-sessions.ts";
import { PollText } from "./poll-text.ts";
import { CursorWriter, readCursor } from "./stream-cursor.ts";
import type { StreamCursor } from "./stream-cursor.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { SessionDoor, StreamFaceParts } from "./stream-parts.ts";
import { readStreamRequest } from "./stream-request.ts";
import type { StreamRequest } from "./stream-request.ts";
import { TextConnection } from "./text-connection.ts";

/** Nothing between here and the client is to keep or change a stream. */
const HEADERS = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };
const POLL_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

/** Where a client stands, and which of its sessions goes on. */
type Standing = {
  readonly request: StreamRequest;
  readonly positions: ReadonlyMap<string, TopicPosition>;
  readonly session: StreamCursor["session"];
};

/** Streams of JSON for clients that have nothing but HTTP. */
export class TextStreams {
  readonly #parts: StreamFaceParts;
  readonly #sessions: PollSessions;
  readonly #ids: ConnectionIds;

  constructor(parts: StreamFaceParts, sessions: PollSessions, ids: ConnectionIds) {
    this.#parts = parts;
    this.#sessions = sessions;
    this.#ids = ids;
  }

  /** A session as Server-Sent Events. Throws RpcError. */
  stream(request: AskedRequest, door: SessionDoor): HttpResponse {
    const standing = this.#readStanding(request);
    const refusal = door.refusal();
    if (refusal !== undefined) return refusal;
    const { clock, scheduler, config, metrics } = this.#parts;
    const body = new EventStream({
      clock,
      scheduler,
      heartbeatMs: config.streamHeartbeatMs,
      connect: (render) => this.#connect(request, standing, render),
      accept: (connection) => {
        metrics.httpSessionsTotal.inc({ kind: "sse" });
        return door.accept(connection);
      },
      wrap: (writer) => writer,
      onCursorTooLong: () => metrics.cursorsTooLong.inc(),
    });
    return { status: 200, headers: { "content-type": "text/event-stream", ...HEADERS }, body };
  }

  /** One answer of long polling. Throws RpcError. */
  async poll(request: AskedRequest, door: SessionDoor): Promise<HttpResponse> {
    const standing = this.#readStanding(request);
    const { config, metrics } = this.#parts;
    const { pollWaitMsMax } = config;
    const waitMs = Math.min(standing.request.waitMs ?? pollWaitMsMax, pollWaitMsMax);
    if (request.method === "HEAD") return { status: 200, headers: POLL_HEADERS, body: "" };
    const found = this.#ongoing(standing, request.principal.id);
    const going = found?.session.box.poll(found.answer, waitMs);
    if (found !== undefined && going === undefined) found.session.box.abort();
    let polled = going;
    if (polled === undefined) {
      const opened = this.#openSession(request, standing, door);
      if ("status" in opened) return opened;
      polled = opened.box.poll(opened.box.number, waitMs);
    }
    if (polled === undefined) throw new RpcError("unavailable", "the session has just ended");
    const answer = await polled;
    metrics.pollAnswers.inc({ kind: answer.kind });
    return { status: 200, headers: POLL_HEADERS, body: answer.body };
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
    if (read.cursor === undefined) return { request: read, positions, session: undefined };
    const reading = readCursor(read.cursor, names);
    if (reading.kind === "fault") {
      throw new RpcError("invalid_argument", `the cursor cannot be used: ${reading.message}`);
    }
    // What the client has received since counts more than where it began.
    for (const [topic, position] of reading.cursor.positions) positions.set(topic, position);
    if (positions.size > config.subscriptionsMax) {
      const message = `the cursor has more than subscriptionsMax ${config.subscriptionsMax} topics`;
      throw new RpcError("invalid_argument", message);
    }
    return { request: read, positions, session: reading.cursor.session };
  }

  /** The session that the client has here, and which of its answers it has. */
  #ongoing({ session, request }: Standing, owner: string) {
    const found = session === undefined ? undefined : this.#sessions.get(session.token);
    if (found === undefined || session === undefined) return undefined;
    if (found.owner === owner && found.wishes === wishesOf(request))
      return { session: found, answer: session.answer };
    // It wants something else now, and goes on from where it stands. Whose it is not, ends nothing.
    if (found.owner !== owner) return undefined;
    found.box.abort();
    return undefined;
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
      onOver: () => this.#sessions.remove(token),
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
    { remoteAddress }: AskedRequest,
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
