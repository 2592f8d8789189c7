import type { ClientClock, WebSocketLike } from "../host/environment.ts";
import { EnvelopeReader } from "./envelope-reader.ts";
import type { FetchLike, ResponseLike } from "./fetch-like.ts";
import { FrameSender } from "./frame-sender.ts";
import { createSessionToken, hostFetch } from "./http-host.ts";

type HttpSocketOptions = {
  readonly kind: "sse" | "poll";
  readonly clock: ClientClock;
  /** The host's, if none is given. */
  readonly fetch: FetchLike | undefined;
};

const TYPE = "application/proto";
/** A streamed answer that has not begun by then is held back by something on the way. */
const FIRST_BYTES_MS = 5_000;
/** A poll waits so long at first, and half of it whenever something on the way cuts it off. */
const WAIT_MS_MAX = 25_000;
const WAIT_MS_MIN = 1_000;
/** An answer that has not come so long after its wait never will. */
const ANSWER_LATE_MS = 10_000;
const POLL_RETRY_MS = [100, 300, 1_000, 2_000, 4_000];

/** A socket that carries frames over HTTP. `address` is that of `/v1/sse` or `/v1/poll`. */
export function openHttpSocket(address: string, options: HttpSocketOptions): WebSocketLike {
  return options.kind === "sse"
    ? new StreamSocket(address, options)
    : new PollSocket(address, options);
}

/** What both have in common: the session's name, what goes up, and how it ends. */
abstract class HttpSocket implements WebSocketLike {
  binaryType = "arraybuffer";
  readonly protocol = "tickwire.v1";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  protected readonly clock: ClientClock;
  protected readonly reader: EnvelopeReader;
  protected isOver = false;
  readonly #address: URL;
  readonly #fetch: FetchLike;
  readonly #token = createSessionToken();
  readonly #abort = new AbortController();
  readonly #sender: FrameSender;
  #hasBegun = false;

  constructor(address: string, { clock, fetch = hostFetch }: HttpSocketOptions) {
    this.clock = clock;
    this.#address = new URL(address);
    this.#fetch = fetch;
    this.reader = new EnvelopeReader({
      frame: (bytes) => this.onmessage?.({ data: bytes } as never),
      end: (code, reason) => this.ended(code, reason),
    });
    this.#sender = new FrameSender({
      clock,
      post: async (number, body) => {
        const { status } = await this.ask("session", { number }, body);
        return status;
      },
      onFailed: (reason) => this.fail(reason === "" ? "requests are not answered" : reason),
    });
    // As any socket, it opens after whoever made it has listened.
    clock.after(0, () => this.onopen?.({} as never));
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.isOver) return;
    if (this.#hasBegun) {
      this.#sender.send(data);
      return;
    }
    this.#hasBegun = true;
    this.begin(data);
  }

  close(code = 1000): void {
    if (this.isOver) return;
    this.isOver = true;
    const rest = this.#sender.close();
    // What is still to be said goes with the farewell; nobody waits for its answer.
    const said = this.#hasBegun ? this.#sendFarewell(code, rest) : Promise.resolve();
    void said.then(
      () => this.#abort.abort(),
      () => this.#abort.abort(),
    );
  }

  /** Opens the session with the client's first frame. */
  protected abstract begin(frame: Uint8Array<ArrayBuffer>): void;

  /** One request of this session. Rejects if it is not answered. */
  protected ask(
    path: "sse" | "poll" | "session",
    parameters: Readonly<Record<string, number>>,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<ResponseLike> {
    const url = new URL(this.#address);
    url.pathname = url.pathname.replace(/[^/]*$/, path);
    url.searchParams.set("session", this.#token);
    for (const [name, value] of Object.entries(parameters)) {
      url.searchParams.set(name, String(value));
    }
    return this.#fetch(url.href, {
      method: "POST",
      headers: { accept: TYPE, "content-type": TYPE },
      body,
      cache: "no-store",
      signal: this.#abort.signal,
    });
  }

  /** The gateway has ended the session. */
  protected ended(code: number, reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#sender.close();
    this.#abort.abort();
    this.onclose?.({ code, reason } as never);
  }

  /** The session is lost. */
  protected fail(reason: string, cause?: unknown): void {
    if (this.isOver) return;
    this.onerror?.({ error: new Error(reason, { cause }) } as never);
    this.ended(1006, "");
  }

  /** Why a request was refused, as far as its answer says it. */
  protected async refuse(response: ResponseLike): Promise<void> {
    let message = "";
    try {
      const answer = JSON.parse(await response.text()) as { readonly message?: unknown };
      if (typeof answer.message === "string") message = `: ${answer.message.slice(0, 200)}`;
    } catch {
      // The answer is of something that is no gateway; its status says enough.
    }
    this.fail(`it answers with the status ${response.status}${message}`);
  }

  async #sendFarewell(code: number, rest: Uint8Array<ArrayBuffer>): Promise<void> {
    const number = this.#sender.nextNumber;
    await this.ask("session", rest.length > 0 ? { number, close: code } : { close: code }, rest);
  }
}

/** Frames in one streamed answer. */
class StreamSocket extends HttpSocket {
  protected begin(frame: Uint8Array<ArrayBuffer>): void {
    const cancel = this.clock.after(FIRST_BYTES_MS, () => {
      this.fail(`nothing came within ${FIRST_BYTES_MS} ms; something holds streamed answers back`);
    });
    // It hands every outcome on itself.
    void this.#read(frame, cancel);
  }

  async #read(frame: Uint8Array<ArrayBuffer>, onFirstBytes: () => void): Promise<void> {
    try {
      const response = await this.ask("sse", {}, frame);
      if (!response.ok || response.body === null) {
        onFirstBytes();
        await this.refuse(response);
        return;
      }
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        onFirstBytes();
        if (this.isOver) return;
        if (done) break;
        if (value !== undefined) this.reader.read(value);
      }
      this.fail("the stream was cut");
    } catch (error) {
      onFirstBytes();
      this.fail(reasonOf(error), error);
    }
  }
}

/** Frames in the answers of polls. */
class PollSocket extends HttpSocket {
  #waitMs = WAIT_MS_MAX;
  #answers = 0;
  #failures = 0;

  protected begin(frame: Uint8Array<ArrayBuffer>): void {
    // It hands every outcome on itself.
    void this.#poll(frame);
  }

  async #poll(first: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      while (!this.isOver) {
        const body = this.#answers === 0 ? first : new Uint8Array(0);
        const answer = await this.#ask(body);
        if (answer === undefined) continue;
        if (answer.length === 0 || this.isOver) continue;
        this.#answers += 1;
        this.reader.read(answer);
      }
    } catch (error) {
      this.fail(reasonOf(error), error);
    }
  }

  /** The body of one answer; undefined if it is to be asked for again. */
  async #ask(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const parameters = { answer: this.#answers, waitMs: this.#waitMs };
    let failure: unknown;
    try {
      const response = await this.#inTime(this.ask("poll", parameters, body));
      if (response.ok) {
        const bytes = new Uint8Array(await this.#inTime(response.arrayBuffer()));
        this.#failures = 0;
        return bytes;
      }
      if (response.status < 500 && response.status !== 429 && response.status !== 408) {
        await this.refuse(response);
        return undefined;
      }
      failure = new Error(`it answers with the status ${response.status}`);
    } catch (error) {
      failure = error;
    }
    if (this.isOver) return undefined;
    // Something on the way may allow only short answers.
    this.#waitMs = Math.max(WAIT_MS_MIN, this.#waitMs / 2);
    const delayMs = POLL_RETRY_MS[this.#failures];
    // What never worked is left to another transport, or to a later try, at once.
    const isHopeless = this.#answers === 0 && this.#failures > 0;
    if (delayMs === undefined || isHopeless) throw failure;
    this.#failures += 1;
    await new Promise<void>((resolve) => this.clock.after(delayMs, resolve));
    return undefined;
  }

  #inTime<Result>(asked: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(this.#waitMs + ANSWER_LATE_MS, () => {
        reject(new Error("a poll is not answered"));
      });
      asked.then(resolve, reject).finally(cancel);
    });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "the request failed";
  // Node keeps the reason in the cause of a failed fetch.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
