import type { HandlerGuard } from "./handler-guard.ts";
import type { HttpStream, HttpStreamHandler, HttpWriter } from "./transport.ts";

/** Tells the producer of a streamed body what becomes of it: the close once, then nothing more. */
export class StreamListener {
  readonly #guard: HandlerGuard;
  #handler: HttpStreamHandler | undefined;
  #outcome: "whole" | "cut" | undefined;

  constructor(guard: HandlerGuard) {
    this.#guard = guard;
  }

  get closed(): boolean {
    return this.#outcome !== undefined;
  }

  /** Lets the producer begin. It may end the stream before it has returned its handler. */
  open(stream: HttpStream, writer: HttpWriter): void {
    try {
      const handler = stream.open(writer);
      if (this.#outcome === undefined) this.#handler = handler;
      else handler.onClose(this.#outcome === "whole");
    } catch (error) {
      this.#guard.fail("the stream of an answer", error);
    }
  }

  drained(): void {
    if (this.#guard.failed || this.#handler === undefined) return;
    try {
      this.#handler.onDrain();
    } catch (error) {
      this.#guard.fail("onDrain of an answer", error);
    }
  }

  /** Only the first call counts. */
  close(outcome: "whole" | "cut"): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    const handler = this.#handler;
    this.#handler = undefined;
    if (this.#guard.failed || handler === undefined) return;
    try {
      handler.onClose(outcome === "whole");
    } catch (error) {
      this.#guard.fail("onClose of an answer", error);
    }
  }
}
