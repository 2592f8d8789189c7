import type { BusContent, BusHeaders, BusMessage } from "./bus.ts";

/** A message that is handed over within the process. */
export class GivenMessage implements BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly content: BusContent | undefined;
  readonly headers: BusHeaders | undefined;
  readonly #reply: ((payload: Uint8Array) => void) | undefined;

  /** `reply` is there if an answer is waited for. */
  constructor(
    subject: string,
    payload: Uint8Array,
    content?: BusContent,
    reply?: (payload: Uint8Array) => void,
    headers?: BusHeaders,
  ) {
    this.subject = subject;
    this.payload = payload;
    this.content = content;
    this.headers = headers;
    this.#reply = reply;
  }

  get expectsAnswer(): boolean {
    return this.#reply !== undefined;
  }

  respond(payload: Uint8Array): void {
    this.#reply?.(payload);
  }
}
