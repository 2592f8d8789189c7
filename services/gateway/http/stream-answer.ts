import { assert } from "#core/assert.ts";
import type { CallScope } from "../rpc/call-scope.ts";
import { RpcError, toRpcError } from "../rpc/rpc-error.ts";
import { SendResult } from "../transport/transport.ts";
import type { HttpStream, HttpStreamHandler, HttpWriter } from "../transport/transport.ts";
import { errorJson } from "./connect-message.ts";
import { encodeEnvelope } from "./envelope.ts";
import { deflateMessage } from "./gzip.ts";

/** What a stream of responses is made of. */
type StreamAnswerParts = {
  /** Not begun. */
  readonly responses: AsyncIterator<unknown>;
  readonly scope: CallScope;
  readonly encode: (response: unknown) => Uint8Array | string;
  /** Messages from this size on are compressed; undefined if none may be. */
  readonly gzipBytesMin: number | undefined;
  /** Sent at the end of the stream; read then. */
  readonly trailers: ReadonlyMap<string, readonly string[]>;
  /** Called once, when the call is over. */
  onEnd(error: unknown): void;
};

/**
 * The body of a server-streaming call: each response in an envelope, then one that says how the
 * call ended. The next response is asked for when the one before has left the process, so a slow
 * client slows its producer and nothing piles up.
 */
export class StreamAnswer implements HttpStream {
  readonly #parts: StreamAnswerParts;
  #first: IteratorResult<unknown> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #opened = false;
  #ended = false;

  constructor(parts: StreamAnswerParts) {
    this.#parts = parts;
  }

  /**
   * Waits for the first response or the end, so that whatever a method sets before it reaches the
   * headers of the answer.
   */
  async begin(): Promise<void> {
    try {
      this.#first = await this.#parts.scope.race(this.#parts.responses.next());
    } catch (error) {
      toRpcError(error);
      this.#failure = { error };
    }
  }

  open(writer: HttpWriter): HttpStreamHandler {
    this.#opened = true;
    // It answers every outcome itself, and rejects only if we have a bug: then the process ends.
    void this.#pump(writer);
    return {
      onDrain: () => this.#wakeUp(),
      onClose: (whole) => {
        if (!whole) this.#parts.scope.end(new RpcError("canceled", "the client is gone"));
      },
    };
  }

  /** The client went before the body was begun. Does nothing if it was. */
  abandon(): void {
    if (!this.#opened) this.#end(new RpcError("canceled", "the client is gone"));
  }

  async #pump(writer: HttpWriter): Promise<void> {
    const { scope, responses, trailers } = this.#parts;
    let failure = this.#failure;
    try {
      while (failure === undefined && this.#first?.done === false) {
        await scope.race(this.#send(writer, this.#first.value));
        this.#first = await scope.race(responses.next());
      }
    } catch (error) {
      failure = { error };
    }
    const end = {
      ...(failure === undefined ? {} : { error: errorJson(toRpcError(failure.error)) }),
      ...(trailers.size === 0 ? {} : { metadata: Object.fromEntries(trailers) }),
    };
    // A body without its last message is cut, so that the client does not take it for whole.
    const result = writer.write(encodeEnvelope(JSON.stringify(end), "end"));
    if (result === SendResult.Dropped) writer.abort();
    else writer.end();
    this.#end(failure?.error);
  }

  async #send(writer: HttpWriter, response: unknown): Promise<void> {
    const { encode, gzipBytesMin } = this.#parts;
    const message = encode(response);
    const gzips = gzipBytesMin !== undefined && message.length >= gzipBytesMin;
    const envelope = gzips
      ? encodeEnvelope(await deflateMessage(message), "gzipped")
      : encodeEnvelope(message, "plain");
    switch (writer.write(envelope)) {
      case SendResult.Sent:
        return;
      case SendResult.Buffered:
        return new Promise((resolve) => {
          this.#wake = resolve;
        });
      case SendResult.Dropped: {
        // The buffer was empty before, so this response alone is more than it holds.
        const text = `a response of ${envelope.byteLength} bytes is more than the gateway buffers`;
        throw new RpcError("resource_exhausted", text);
      }
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #end(error: unknown): void {
    assert(!this.#ended, "a stream ends once");
    this.#ended = true;
    const { responses, scope } = this.#parts;
    scope.close();
    // Not awaited: a generator that ignores the signal would hold the call open. It ends when it
    // wakes.
    responses.return?.().catch(() => undefined);
    this.#parts.onEnd(error);
  }
}
