import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { encodeClientRequests } from "#wire/frame-codec.ts";
import type { ClientRequestInit } from "#wire/frame-codec.ts";
import { PROTOCOL_VERSION } from "#wire/protocol.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import { SendResult } from "../../transport/transport.ts";
import type { Connection, ConnectionHandler } from "../../transport/transport.ts";
import type { TurnLine, Work } from "../../turns/turns.ts";
import { closeEvent, FrameTelling } from "./frame-telling.ts";
import { CursorWriter } from "./stream-cursor.ts";
import type { StreamCursor } from "./stream-cursor.ts";
import type { ToldBatches } from "./told-batches.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { StreamTopicRequest } from "./stream-request.ts";
import { requestsOf } from "./stream-subscribing.ts";
import type { SessionWriter, SessionWriterListener } from "./session-writer.ts";

/** A topic that was not to be had is asked for again after this long. */
const ASK_AGAIN_MS = 2_000;

type TextConnectionParts = Pick<Connection, "id" | "remoteAddress"> & {
  readonly clock: Clock;
  /** Of this session alone. */
  readonly line: TurnLine;
  readonly limits: { readonly bufferedBytesMax: number; readonly topicsPerRequestMax: number };
  readonly topics: readonly StreamTopicRequest[];
  /** From where the client wants to go on. */
  readonly positions: ReadonlyMap<string, TopicPosition>;
  readonly clientName: string;
  /** Where a topic is told for others too; undefined if nobody else has it as this client has. */
  readonly sharedOf: (topic: string) => ToldBatches | undefined;
  /** An event in the form of the stream; undefined if it is to come with the next one. */
  readonly render: (event: StreamEvent, connection: TextConnection) => Uint8Array | undefined;
};

/**
 * The connection of a session whose client gets JSON over HTTP and can say nothing but what it
 * asked for. It stands in for the client of a WebSocket: it says Hello, subscribes, answers probes
 * when what was sent before them has reached the client, and tells frames in JSON. Telling is long
 * work, so it is done in the turns of the session's line, and only as fast as the client takes it.
 */
export class TextConnection implements Connection, SessionWriterListener {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated = false;
  readonly #parts: TextConnectionParts;
  readonly #telling: FrameTelling;
  readonly #cursors: CursorWriter;
  readonly #requests = new Map<number, readonly StreamTopicRequest[]>();
  readonly #passing: StreamTopicRequest[] = [];
  #writer: SessionWriter | undefined;
  /** Undefined before the session is there and when it has heard of its end. */
  #handler: ConnectionHandler | undefined;
  #frames: Uint8Array[] = [];
  #frameBytes = 0;
  /** The frame that is being told. */
  #steps: Iterator<StreamEvent | undefined> | undefined;
  #isTelling = false;
  /** The writer took what it was given. */
  #mayWrite = true;
  /** The session was told that it is to wait. */
  #isWaitedFor = false;
  #end: "open" | "closing" | "closed" = "open";
  #farewell: StreamEvent | undefined;
  #cancelAsking: CancelTimer = () => undefined;

  constructor(parts: TextConnectionParts) {
    this.id = parts.id;
    this.remoteAddress = parts.remoteAddress;
    this.#parts = parts;
    this.#cursors = new CursorWriter(parts.topics.map(({ topic }) => topic));
    this.#telling = new FrameTelling(
      {
        resumes: parts.positions,
        sharedOf: parts.sharedOf,
        wantsState: (requestId, index) =>
          this.#requests.get(requestId)?.[index]?.snapshot !== false,
      },
      {
        onProbe: (number) => this.#answerProbe(number),
        onPassing: (requestId, index) => {
          const request = this.#requests.get(requestId)?.[index];
          assert(request !== undefined, "what is refused was asked for");
          this.#askAgain([request]);
        },
        onRefused: (requestId) => this.#askAgain(this.#requests.get(requestId) ?? []),
      },
    );
  }

  /** Where a client stands that has everything which was written so far. */
  cursor(session?: StreamCursor["session"]): string {
    return this.#cursors.write(this.#telling.positions(), session);
  }

  /** Begins the session that `accept` makes of this connection. */
  open(writer: SessionWriter, accept: (connection: Connection) => ConnectionHandler): void {
    assert(this.#writer === undefined, "a connection opens once");
    this.#writer = writer;
    const handler = accept(this);
    this.#handler = handler;
    const { clientName, topics, positions, limits } = this.#parts;
    this.#ask([
      {
        kind: "hello",
        value: {
          protocolVersion: PROTOCOL_VERSION,
          clientName: clientName === "" ? "http" : clientName,
          answersProbes: true,
        },
      },
    ]);
    for (const part of requestsOf(topics, positions, limits.topicsPerRequestMax)) {
      this.#subscribe(part, positions);
    }
  }

  send(frame: Uint8Array): SendResult {
    if (this.#end !== "open") return SendResult.Dropped;
    if (this.bufferedBytes() + frame.byteLength > this.#parts.limits.bufferedBytesMax) {
      this.#isWaitedFor = true;
      return SendResult.Dropped;
    }
    this.#frames.push(frame.slice());
    this.#frameBytes += frame.byteLength;
    this.#proceed();
    if (this.bufferedBytes() === 0) return SendResult.Sent;
    this.#isWaitedFor = true;
    return SendResult.Buffered;
  }

  /** Never asked for: this client answers probes. */
  ping(): boolean {
    return false;
  }

  together(write: () => void): void {
    write();
  }

  bufferedBytes(): number {
    return this.#frameBytes + (this.#writer?.bufferedBytes() ?? 0);
  }

  close(code: number, reason: string): void {
    if (this.#end !== "open") return;
    this.#end = "closing";
    this.#farewell = closeEvent(code, reason);
    this.#proceed();
    this.#gone(code, reason);
  }

  terminate(): void {
    if (this.#end === "closed") return;
    this.#release();
    this.#writer?.abort();
    this.#gone(1006, "");
  }

  onDrain(): void {
    this.#mayWrite = true;
    this.#proceed();
    this.#handler?.onDrain();
  }

  onGone(): void {
    if (this.#end === "closed") return;
    this.#release();
    this.#gone(1006, "");
  }

  #release(): void {
    this.#end = "closed";
    this.#parts.line.clear();
    this.#frames = [];
    this.#frameBytes = 0;
    this.#steps = undefined;
  }

  #gone(code: number, reason: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#cancelAsking();
    handler?.onClose(code, reason);
  }

  #ask(requests: readonly ClientRequestInit[]): void {
    this.#handler?.onMessage(encodeClientRequests(requests), true);
  }

  #subscribe(
    topics: readonly StreamTopicRequest[],
    positions: ReadonlyMap<string, TopicPosition>,
  ): void {
    const requestId = this.#requests.size + 1;
    this.#requests.set(requestId, topics);
    const wanted = topics.map(({ topic, depth, conflationIntervalMs, snapshot, resume }) => ({
      topic,
      depth,
      conflationIntervalMs,
      snapshot: snapshot ? ("SNAPSHOT_MODE_UNSPECIFIED" as const) : ("SNAPSHOT_MODE_NONE" as const),
      resume: positions.get(topic) ?? resume,
    }));
    this.#ask([{ kind: "subscribe", value: { requestId, topics: wanted } }]);
  }

  #answerProbe(number: number): void {
    this.#writer?.whenDelivered(() => this.#ask([{ kind: "probeAnswer", value: { number } }]));
  }

  /** A client that can say nothing cannot ask again itself. */
  #askAgain(requests: readonly StreamTopicRequest[]): void {
    const isWaiting = this.#passing.length > 0;
    this.#passing.push(...requests);
    if (isWaiting || this.#passing.length === 0) return;
    const { clock, positions, limits } = this.#parts;
    this.#cancelAsking = clock.after(ASK_AGAIN_MS, () => {
      const passing = new Set(this.#passing.splice(0));
      for (const part of requestsOf([...passing], new Map(), limits.topicsPerRequestMax)) {
        this.#subscribe(part, positions);
      }
    });
  }

  #proceed(): void {
    if (this.#isTelling || !this.#mayWrite || this.#end === "closed") return;
    this.#isTelling = true;
    this.#parts.line.add(this.#tell());
  }

  *#tell(): Work {
    for (;;) {
      const event = this.#nextStep();
      if (event === "none") break;
      if (event !== undefined) this.#write(event);
      if (!this.#mayWrite) break;
      if (this.#parts.line.isOver) yield;
    }
    this.#isTelling = false;
    if (this.#isWaitedFor && this.#frames.length === 0) {
      this.#isWaitedFor = false;
      this.#handler?.onDrain();
    }
    if (this.#farewell === undefined || this.#frames.length > 0 || !this.#mayWrite) return;
    this.#write(this.#farewell);
    this.#farewell = undefined;
    this.#release();
    this.#writer?.end();
  }

  /** The next event; undefined where others may have a turn. */
  #nextStep(): StreamEvent | undefined | "none" {
    const [frame] = this.#frames;
    if (frame === undefined) return "none";
    this.#steps ??= this.#telling.tell(frame);
    const { done, value } = this.#steps.next();
    if (done !== true) return value as StreamEvent | undefined;
    this.#steps = undefined;
    this.#frames.shift();
    this.#frameBytes -= frame.byteLength;
    return undefined;
  }

  #write(event: StreamEvent): void {
    const bytes = this.#parts.render(event, this);
    if (bytes === undefined) return;
    if (this.#writer?.write(bytes) !== SendResult.Sent) this.#mayWrite = false;
  }
}
