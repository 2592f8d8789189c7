import type {
  FeedDecoder,
  FeedSubscribeOptions,
  FeedSubscription,
  RejectReason,
  RestPurpose,
  RestReply,
} from "../feed/feed-adapter.ts";
import { type Emit, type TakeTick, reject } from "./emit.ts";
import { textOfFrame } from "./frame-text.ts";

const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

/** How a venue's texts are read. See `frame-forms.ts` for the forms that there are. */
export type FrameForm<Message, Body> = {
  /** A whole message, or why the text is none: it is no JSON, or JSON of another shape. */
  message(text: string): Message | "bad-json" | "unknown-message";
  /** The body of a REST answer, whatever its shape; undefined if it is no JSON. */
  body(text: string): Body | undefined;
};

/** What the messages of one venue mean, on one connection. Nothing here throws on venue data. */
export type FrameReader<Message, Body> = {
  /** Reads a whole message. `text` is the text of its frame. */
  message(message: Message, receivedTimeUs: number, emit: Emit, text: string): void;
  /**
   * Counts a frame that is no JSON, at least once, and says what it may have cost: a lost message
   * that no number of the venue shows would never be noticed otherwise.
   */
  damaged(text: string, emit: Emit): void;
  /**
   * Reads the answer to a REST request. The reason why it cannot be used is counted for what was
   * asked. Absent where nothing but lists of instruments is asked for by REST.
   */
  answer?(
    body: Body,
    purpose: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined;
  /** See `FeedDecoder.scan`. */
  scan?(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean;
  /** See `FeedDecoder.sent`. */
  sent?(frame: string): void;
  /** See `FeedDecoder.subscribeFrames`. */
  subscribeFrames?(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[];
  /** See `FeedDecoder.unsubscribeFrames`. */
  unsubscribeFrames?(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[];
};

/**
 * The decoder of one connection: it turns frames into messages by a form, and leaves to a reader
 * what they mean. Every frame goes this way that the reader does not take as it is, and so does one
 * that is damaged or unexpected.
 */
export class FrameDecoder<Message, Body> implements FeedDecoder {
  readonly #form: FrameForm<Message, Body>;
  readonly #reader: FrameReader<Message, Body>;
  readonly #unpack: ((frame: string | Uint8Array) => string | Uint8Array) | undefined;

  /**
   * `unpack` gives the text of a frame, or its bytes, where a venue compresses its frames. What it
   * unpacks is scanned first.
   */
  constructor(
    form: FrameForm<Message, Body>,
    reader: FrameReader<Message, Body>,
    unpack?: (frame: string | Uint8Array) => string | Uint8Array,
  ) {
    this.#form = form;
    this.#reader = reader;
    this.#unpack = unpack;
  }

  sent(frame: string): void {
    this.#reader.sent?.(frame);
  }

  subscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined {
    return this.#reader.subscribeFrames?.(subscriptions, options);
  }

  unsubscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined {
    return this.#reader.unsubscribeFrames?.(subscriptions, options);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    // No run of digits goes beyond such an end: see `frame-bytes.ts`.
    const last = bytes[bytes.length - 1];
    if (last !== CLOSE_BRACE && last !== CLOSE_BRACKET) return false;
    return this.#reader.scan?.(bytes, receivedTimeUs, emit, takeTick) === true;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const plain = this.#unpack === undefined ? frame : this.#unpack(frame);
    const isUnpacked = plain !== frame && typeof plain !== "string";
    if (isUnpacked && this.scan(plain, receivedTimeUs, emit)) return;
    const text = textOfFrame(plain);
    const message = this.#form.message(text);
    if (message === "bad-json") this.#reader.damaged(text, emit);
    // Whole, and so nothing that a damaged frame could have cost.
    else if (message === "unknown-message") reject(emit, "unknown-message");
    else this.#reader.message(message, receivedTimeUs, emit, text);
  }

  decodeRest(reply: RestReply, receivedTimeUs: number, emit: Emit): void {
    const { purpose } = reply;
    const body = this.#form.body(reply.body);
    const reason =
      body === undefined ? "bad-json" : this.#answer(body, purpose, receivedTimeUs, emit);
    if (reason === undefined) return;
    const { instrument, channel } = purpose;
    if (instrument === undefined) emit({ kind: "rejected", reason, channel });
    else emit({ kind: "rejected", reason, instrument, channel });
  }

  #answer(
    body: Body,
    purpose: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (this.#reader.answer === undefined) return "unknown-message";
    return this.#reader.answer(body, purpose, receivedTimeUs, emit);
  }
}
