import type { FeedTick } from "#core/market-tick.ts";
import type {
  FeedAdapter,
  FeedDecoder,
  FeedEvent,
  FeedSubscribeOptions,
  FeedSubscription,
  RestReply,
} from "./feed-adapter.ts";

/** Told of an error inside a venue's own code, for the log. */
type OnFault = (where: string, error: unknown) => void;

/**
 * The adapter behind a fence: what its code throws while it reads what a venue sent becomes a value
 * that is counted, and costs nobody else anything. What is thrown by those who take its events is
 * not the venue's, and passes.
 */
export function fenceAdapter(adapter: FeedAdapter, onFault: OnFault): FeedAdapter {
  const guard = <Value>(where: string, read: () => Value): Value | undefined =>
    fence(read, where, onFault);
  return {
    ...adapter,
    createDecoder: (context) => new FencedDecoder(adapter.createDecoder(context), onFault),
    recordedRequest: (url) => guard("recordedRequest", () => adapter.recordedRequest(url)),
    parseInstruments: (body, url) =>
      guard("parseInstruments", () => adapter.parseInstruments(body, url)),
    nextInstrumentsRequest: (request, body) =>
      guard("nextInstrumentsRequest", () => adapter.nextInstrumentsRequest?.(request, body)),
    parseConnection: (body, options) =>
      guard("parseConnection", () => adapter.parseConnection?.(body, options)),
    parseServerTimeUs: (body) =>
      guard("parseServerTimeUs", () => adapter.parseServerTimeUs?.(body)),
  };
}

/** What the code makes of an answer; undefined, which says that it is none, if it throws. */
function fence<Value>(read: () => Value, where: string, onFault: OnFault): Value | undefined {
  try {
    return read();
  } catch (error) {
    onFault(where, error);
    return undefined;
  }
}

type Emit = (event: FeedEvent) => void;
type TakeTick = (tick: FeedTick) => void;

/** After an error the decoder may be in any state: its connection has to be made anew. */
class FencedDecoder implements FeedDecoder {
  readonly #decoder: FeedDecoder;
  readonly #onFault: OnFault;
  #target: Emit = () => {};
  /** An event is with those who take it: what is thrown now is theirs. */
  #isTaken = false;
  readonly #emit: Emit = (event) => {
    this.#isTaken = true;
    this.#target(event);
    this.#isTaken = false;
  };
  #tickTarget: TakeTick = () => {};
  readonly #takeTick: TakeTick = (tick) => {
    this.#isTaken = true;
    this.#tickTarget(tick);
    this.#isTaken = false;
  };

  constructor(decoder: FeedDecoder, onFault: OnFault) {
    this.#decoder = decoder;
    this.#onFault = onFault;
  }

  sent(frame: string): void {
    this.#decoder.sent?.(frame);
  }

  subscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined {
    return this.#decoder.subscribeFrames?.(subscriptions, options);
  }

  unsubscribeFrames(
    subscriptions: readonly FeedSubscription[],
    options: FeedSubscribeOptions,
  ): readonly string[] | undefined {
    return this.#decoder.unsubscribeFrames?.(subscriptions, options);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    this.#target = emit;
    if (takeTick !== undefined) this.#tickTarget = takeTick;
    const target = takeTick === undefined ? undefined : this.#takeTick;
    try {
      return this.#decoder.scan?.(bytes, receivedTimeUs, this.#emit, target) === true;
    } catch (error) {
      this.#onError("scan", error);
      emit({ kind: "rejected", reason: "decoder-fault" });
      return true;
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    this.#target = emit;
    try {
      this.#decoder.decode(frame, receivedTimeUs, this.#emit);
    } catch (error) {
      this.#onError("decode", error);
      emit({ kind: "rejected", reason: "decoder-fault" });
    }
  }

  decodeRest(reply: RestReply, receivedTimeUs: number, emit: Emit): void {
    this.#target = emit;
    try {
      this.#decoder.decodeRest(reply, receivedTimeUs, this.#emit);
    } catch (error) {
      this.#onError("decodeRest", error);
      const { instrument, channel } = reply.purpose;
      const about = instrument === undefined ? { channel } : { instrument, channel };
      emit({ kind: "rejected", reason: "decoder-fault", ...about });
    }
  }

  #onError(where: string, error: unknown): void {
    const isTaken = this.#isTaken;
    this.#isTaken = false;
    if (isTaken) throw error;
    this.#onFault(where, error);
  }
}
