import type { RecordedRequest, RestRequest, RestResponse } from "../feed/feed-adapter.ts";
import { deliverText } from "../feed/connection/web-socket-dialer.ts";
import type {
  FeedDialer,
  FeedSocket,
  FeedSocketHandlers,
} from "../feed/connection/web-socket-dialer.ts";
import type { RestAnswer, RestClient } from "../feed/rest/rest-client.ts";

type Dialled = { readonly url: string; readonly handlers: FeedSocketHandlers; dropped: boolean };

type Asked = { readonly request: RestRequest; readonly onResponse: (answer: RestAnswer) => void };

/**
 * REST requests that may wait for a later line of the recording; of more, the oldest is never
 * answered.
 */
const RECORDED_REQUESTS_MAX = 10_000;

/**
 * The network of a recording. Dialling waits for the recording to open such a connection, a REST
 * request for the recording to hold its answer. What is sent goes nowhere: the recording holds what
 * its own client sent.
 */
export class CaptureNetwork implements FeedDialer, RestClient {
  readonly #recordedRequest: (url: string) => RecordedRequest | undefined;
  #dialled: Dialled[] = [];
  #asked: Asked[] = [];

  constructor(options: {
    /** What a recorded address was asked for; see `FeedAdapter.recordedRequest`. */
    readonly recordedRequest: (url: string) => RecordedRequest | undefined;
  }) {
    this.#recordedRequest = options.recordedRequest;
  }

  dial(url: string, handlers: FeedSocketHandlers): FeedSocket {
    const dialled: Dialled = { url, handlers, dropped: false };
    this.#dialled.push(dialled);
    const drop = (): void => {
      dialled.dropped = true;
      this.#dialled = this.#dialled.filter((waiting) => waiting !== dialled);
    };
    return {
      send: () => {},
      ping: () => handlers.onPong?.(),
      close: drop,
      terminate: drop,
      bufferedBytes: () => 0,
    };
  }

  get(request: RestRequest, onResponse: (answer: RestAnswer) => void): void {
    this.#asked.push({ request, onResponse });
    if (this.#asked.length > RECORDED_REQUESTS_MAX) this.#asked.shift();
  }

  /**
   * The handlers of a dial of this URL that waits for its connection; the connection is theirs from
   * then on.
   */
  takeDial(url: string): FeedSocketHandlers | undefined {
    const dialled = this.#dialled.find((waiting) => waiting.url === url);
    if (dialled === undefined) return undefined;
    this.#dialled = this.#dialled.filter((waiting) => waiting !== dialled);
    return {
      onOpen: () => dialled.handlers.onOpen(),
      onFrame: (frame) => dialled.handlers.onFrame(frame),
      onText: (bytes) => deliverText(dialled.handlers, bytes),
      onClose: (code, reason) => {
        if (!dialled.dropped) dialled.handlers.onClose(code, reason);
      },
    };
  }

  /** Answers the oldest request of the same snapshot. False if nobody asked. */
  answer(response: RestResponse): boolean {
    const recorded = this.#recordedRequest(response.url);
    if (recorded?.kind !== "book-snapshot") return false;
    const index = this.#asked.findIndex(({ request }) => {
      const asked = this.#recordedRequest(request.url);
      return (
        asked?.kind === "book-snapshot" &&
        asked.venueSymbol === recorded.venueSymbol &&
        asked.venueMarket === recorded.venueMarket
      );
    });
    if (index < 0) return false;
    const [asked] = this.#asked.splice(index, 1);
    asked?.onResponse(response);
    return true;
  }
}
