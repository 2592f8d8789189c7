import type { Clock } from "#core/clock.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";

/** In a drain, an answer that is known as a whole counts as under way for so long. */
const SENDING_MS = 250;

/** What requests in flight are counted with. */
type RequestsInFlightParts = {
  readonly clock: Clock;
  /** Whether somebody waits for them. */
  readonly isDraining: () => boolean;
  /** Called whenever there is one less. */
  readonly onDone: () => void;
};

/** HTTP requests that have not been answered to their end, so that a drain can wait for them. */
export class RequestsInFlight {
  readonly #parts: RequestsInFlightParts;
  #count = 0;

  constructor(parts: RequestsInFlightParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#count;
  }

  /** Answers a request, which counts until its answer has left or its client has gone. */
  async track(
    request: HttpRequest,
    serve: (request: HttpRequest) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    this.#count += 1;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      this.#count -= 1;
      this.#parts.onDone();
    };
    const answer = await serve(request);
    const { body } = answer;
    if (typeof body === "object" && "open" in body && request.method !== "HEAD") {
      // A client that has gone before the stream begins is told of by nothing else.
      request.signal.addEventListener("abort", done);
      if (request.signal.aborted) done();
      return {
        ...answer,
        body: {
          open: (writer) => {
            const handler = body.open(writer);
            const onClose = (whole: boolean): void => {
              handler.onClose(whole);
              done();
            };
            return { onDrain: () => handler.onDrain(), onClose };
          },
        },
      };
    }
    // Nobody says when it has been taken.
    if (this.#parts.isDraining()) this.#parts.clock.after(SENDING_MS, done);
    else done();
    return answer;
  }
}
