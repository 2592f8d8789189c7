import { Buffer } from "node:buffer";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Connection, ConnectionHandler } from "../../transport/transport.ts";
import type { HttpStream, HttpStreamHandler, HttpWriter } from "../../transport/transport.ts";
import type { Scheduler } from "../../turns/scheduler.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { GzipWriter } from "./gzip-writer.ts";
import { CURSOR_HEADER_LENGTH_MAX } from "./stream-cursor.ts";
import type { StreamEvent } from "./stream-event.ts";
import { streamEvent } from "./stream-event.ts";
import type { TextConnection } from "./text-connection.ts";

/** A browser whose stream was cut comes back after this long. */
const RETRY_MS = 2_000;
const KEEP_ALIVE = Buffer.from(": keep-alive\n\n");

type EventStreamParts = {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Nothing was sent for so long: a comment is, so that proxies and the client see life. */
  readonly heartbeatMs: number;
  /** Makes the connection, which writes its events with what is given. */
  readonly connect: (
    render: (event: StreamEvent, of: TextConnection) => Uint8Array,
  ) => TextConnection;
  readonly accept: (connection: Connection) => ConnectionHandler;
  /** Told first: why the client begins anew; undefined if it does not, or knows. */
  readonly warning: string | undefined;
  /** The client takes gzip, and the operator allows it. */
  readonly gzips: boolean;
  /** The client cannot come back to where it was any more: its cursor has grown too long. */
  readonly onCursorTooLong: () => void;
};

/**
 * A session as Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html.
 * Each event that moves the client on carries its id, from which an EventSource goes on by itself.
 */
export class EventStream implements HttpStream {
  readonly #parts: EventStreamParts;
  #lastId = "";
  #hasIds = true;
  #wrote = false;
  #cancelHeartbeat: CancelTimer = () => undefined;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
  }

  open(raw: HttpWriter): HttpStreamHandler {
    const { scheduler, connect, accept, gzips, warning } = this.#parts;
    const connection = connect((event, of) => this.#render(event, of));
    const listener = { onDrain: () => connection.onDrain(), onGone: () => connection.onGone() };
    const gzip: GzipWriter | undefined = gzips
      ? new GzipWriter(raw, () => answer.onDrain())
      : undefined;
    const answer: AnswerWriter = new AnswerWriter({ writer: gzip ?? raw, scheduler, listener });
    answer.write(Buffer.from(`retry: ${RETRY_MS}\n\n`));
    if (warning !== undefined) {
      const type = "cursor-refused";
      answer.write(Buffer.from(textOf(streamEvent(type, { type, message: warning }))));
    }
    connection.open(answer, accept);
    this.#watch(answer);
    return {
      onDrain: () => {
        if (gzip === undefined) answer.onDrain();
        else gzip.rawDrained();
      },
      onClose: () => {
        this.#cancelHeartbeat();
        gzip?.gone();
        answer.onClose();
      },
    };
  }

  #watch(answer: AnswerWriter): void {
    const { clock, heartbeatMs } = this.#parts;
    this.#wrote = false;
    this.#cancelHeartbeat = clock.after(heartbeatMs, () => {
      if (!this.#wrote && answer.bufferedBytes() === 0) answer.write(KEEP_ALIVE);
      this.#watch(answer);
    });
  }

  #render(event: StreamEvent, connection: TextConnection): Uint8Array {
    this.#wrote = true;
    const id = this.#hasIds ? connection.cursor() : "";
    let text = `event: ${event.name}\ndata: ${event.data}\n`;
    if (id.length > CURSOR_HEADER_LENGTH_MAX) {
      this.#hasIds = false;
      this.#lastId = "";
      this.#parts.onCursorTooLong();
      // An empty id takes back the last one, which would bring what the client has.
      text = `${textOf(cursorTooLong(id.length))}id\n${text}`;
    } else if (id !== this.#lastId) {
      this.#lastId = id;
      text += `id: ${id}\n`;
    }
    return Buffer.from(`${text}\n`);
  }
}

function cursorTooLong(length: number): StreamEvent {
  const message =
    `the cursor of so many topics has ${length} characters, more than ${CURSOR_HEADER_LENGTH_MAX}; ` +
    "when this stream is cut, it begins anew";
  return streamEvent("cursor-too-long", { type: "cursor-too-long", message });
}

function textOf({ name, data }: StreamEvent): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
