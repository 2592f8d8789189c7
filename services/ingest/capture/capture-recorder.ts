import type { Clock } from "#core/clock.ts";
import type { RestRequest } from "../feed/feed-adapter.ts";
import { deliverText, textOfBytes } from "../feed/connection/web-socket-dialer.ts";
import type {
  DialLimits,
  FeedDialer,
  FeedSocket,
  FeedSocketHandlers,
} from "../feed/connection/web-socket-dialer.ts";
import type { RestAnswer, RestClient } from "../feed/rest/rest-client.ts";
import { formatCaptureHeader, formatCaptureRecord } from "./capture-format.ts";
import type { CaptureRecord } from "./capture-format.ts";

/** Where lines go. */
export type CaptureWriter = {
  /** Takes whole lines; never blocks. */
  write(lines: string): void;
  /** Bytes taken that are not on their way to the disk yet. */
  bufferedBytes(): number;
};

type CaptureRecorderOptions = {
  readonly venue: string;
  /** Who recorded it and how, for the header. */
  readonly source: string;
  readonly dialer: FeedDialer;
  readonly restClient: RestClient;
  readonly clock: Clock;
  readonly writer: CaptureWriter;
  /** Beyond it lines are left out, and the recording says so. Default 64 MiB. */
  readonly bufferedBytesMax?: number;
};

/** Default of `bufferedBytesMax`. */
const CAPTURE_BUFFERED_BYTES_MAX = 64 * 1024 * 1024;

/** Close code in a recording for a connection of which something could not be written. */
const CAPTURE_LOST_CODE = 1006;

/**
 * Records what passes between a feed and its venue, by standing in for its dialer and its REST
 * client. Secrets in addresses and frames are blotted out. A disk that is too slow never slows the
 * feed: what does not fit is left out, and every connection then shows as lost and reopened, so
 * that a replay does not take the hole for a quiet market.
 */
export class CaptureRecorder implements FeedDialer, RestClient {
  readonly #options: CaptureRecorderOptions;
  readonly #bufferedBytesMax: number;
  readonly #open = new Map<number, string>();
  #connections = 0;
  #linesLost = 0;
  #losing = false;

  constructor(options: CaptureRecorderOptions) {
    this.#options = options;
    this.#bufferedBytesMax = options.bufferedBytesMax ?? CAPTURE_BUFFERED_BYTES_MAX;
    const { venue, source, writer } = options;
    writer.write(formatCaptureHeader({ venue, source }));
  }

  /** Lines left out because the writer was too slow. */
  get linesLost(): number {
    return this.#linesLost;
  }

  dial(url: string, handlers: FeedSocketHandlers, limits: DialLimits): FeedSocket {
    this.#connections += 1;
    const connection = this.#connections;
    const socket = this.#options.dialer.dial(
      url,
      {
        onPing: () => handlers.onPing?.(),
        onPong: () => handlers.onPong?.(),
        onError: (message) => handlers.onError?.(message),
        onOpen: () => {
          const redacted = redactUrl(url);
          this.#open.set(connection, redacted);
          this.#record({ kind: "open", atUs: this.#nowUs(), connection, url: redacted });
          handlers.onOpen();
        },
        onFrame: (frame) => {
          this.#record({ kind: "received", atUs: this.#nowUs(), connection, frame });
          handlers.onFrame(frame);
        },
        onText: (bytes) => {
          const frame = textOfBytes(bytes);
          this.#record({ kind: "received", atUs: this.#nowUs(), connection, frame });
          deliverText(handlers, bytes);
        },
        onClose: (code, reason) => {
          this.#recordClose(connection, code);
          handlers.onClose(code, reason);
        },
      },
      limits,
    );
    return {
      ping: () => socket.ping(),
      bufferedBytes: () => socket.bufferedBytes(),
      send: (frame) => {
        const text = redactFrame(frame);
        this.#record({ kind: "sent", atUs: this.#nowUs(), connection, text });
        socket.send(frame);
      },
      close: () => {
        this.#recordClose(connection, 1000);
        socket.close();
      },
      terminate: () => {
        this.#recordClose(connection, CAPTURE_LOST_CODE);
        socket.terminate();
      },
    };
  }

  get(
    request: RestRequest,
    onResponse: (answer: RestAnswer) => void,
    onError: (reason: string) => void,
  ): void {
    this.#options.restClient.get(
      request,
      (answer) => {
        const { status } = answer;
        const { method = "GET" } = request;
        const url = redactUrl(request.url);
        // Only what is posted for can hold a secret, such as the token of a connection.
        const body = method === "GET" ? answer.body : redactFrame(answer.body);
        this.#record({ kind: "http", atUs: this.#nowUs(), method, url, status, body });
        onResponse(answer);
      },
      onError,
    );
  }

  close(): void {
    this.#options.restClient.close?.();
  }

  #nowUs(): number {
    return this.#options.clock.nowUs();
  }

  /** Only the first end of a connection is written. */
  #recordClose(connection: number, code: number): void {
    if (!this.#open.delete(connection)) return;
    this.#record({ kind: "close", atUs: this.#nowUs(), connection, code });
  }

  #record(record: CaptureRecord): void {
    const { writer } = this.#options;
    if (writer.bufferedBytes() >= this.#bufferedBytesMax) {
      this.#losing = true;
      this.#linesLost += 1;
      return;
    }
    if (this.#losing) {
      this.#losing = false;
      this.#recordLoss(record);
    }
    writer.write(formatCaptureRecord(record));
  }

  #recordLoss(next: CaptureRecord): void {
    const { writer } = this.#options;
    const atUs = this.#nowUs();
    for (const [connection, url] of this.#open) {
      // The line to come may be the opening itself.
      if (next.kind === "open" && next.connection === connection) continue;
      writer.write(
        formatCaptureRecord({ kind: "close", atUs, connection, code: CAPTURE_LOST_CODE }) +
          formatCaptureRecord({ kind: "open", atUs, connection, url }),
      );
    }
  }
}

const SECRET_NAMES = "authorization|api[_-]?key|signature|passphrase|jwt|token|secret|listenkey";
const SECRET_PARAMETER = new RegExp(`([?&](?:${SECRET_NAMES})=)[^&#]*`, "gi");
const SECRET_FIELD = new RegExp(`("(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi");
const USER_INFO = /\/\/[^/@]*@/;

/** The address without user, password and secret parameters. */
export function redactUrl(url: string): string {
  return url.replace(USER_INFO, "//").replace(SECRET_PARAMETER, "$1redacted");
}

/** The frame with the values of secret JSON fields blotted out. */
export function redactFrame(frame: string): string {
  return frame.replace(SECRET_FIELD, '$1"redacted"');
}
