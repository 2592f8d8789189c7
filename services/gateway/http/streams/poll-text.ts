import { Buffer } from "node:buffer";
import type { StreamCursor } from "./stream-cursor.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { TextConnection } from "./text-connection.ts";

const COMMA = Buffer.from(",\n");
const END = Buffer.from("]}\n");

type PollTextParts = {
  readonly token: string;
  /** What the client came with: where it stands before its first answer. */
  readonly firstCursor: (session: NonNullable<StreamCursor["session"]>) => string;
  readonly connection: () => TextConnection;
};

/** Writes the answers of long polling: one JSON object with events and the cursor behind them. */
export class PollText {
  readonly #parts: PollTextParts;
  #cursor: string | undefined;
  #welcome: string | undefined;

  constructor(parts: PollTextParts) {
    this.#parts = parts;
  }

  /**
   * An event as an element of the list. A welcome alone is no news, so it comes with what follows
   * it.
   */
  render({ name, data }: StreamEvent): Uint8Array | undefined {
    const text = `{"event":"${name}","data":${data}}`;
    if (name === "welcome") {
      this.#welcome = text;
      return undefined;
    }
    const welcome = this.#welcome === undefined ? "" : `${this.#welcome},\n`;
    this.#welcome = undefined;
    return Buffer.from(welcome + text);
  }

  /**
   * The body of the answer of this number. One without events has the cursor of the answer before
   * it: events may be told already that are not in it.
   */
  seal(events: readonly Uint8Array[], number: number): Uint8Array {
    const session = { token: this.#parts.token, answer: number };
    if (events.length > 0) this.#cursor = this.#parts.connection().cursor(session);
    this.#cursor ??= this.#parts.firstCursor(session);
    const head = Buffer.from(`{"cursor":${JSON.stringify(this.#cursor)},"events":[`);
    const list = events.flatMap((event, index) => (index === 0 ? [event] : [COMMA, event]));
    return Buffer.concat([head, ...list, END]);
  }
}
