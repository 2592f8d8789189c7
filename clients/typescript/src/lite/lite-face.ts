import { TopicRefusedError } from "../errors.ts";
import type { Quote, Trade } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import type { HostEnvironment } from "../host/environment.ts";
import { assertIntegerOption } from "../host/option-checks.ts";
import type { ClientState } from "../session/session.ts";
import type { Channel, Topics } from "../topics/topic.ts";
import { CONFLATION_INTERVAL_MS_MAX } from "../topics/view-wish.ts";
import { QUOTES, TRADES } from "./batch.ts";
import type { LiteSession, LiteStateListener, TopicsConsumer } from "./lite-session.ts";
import { OpenStream, type LiteStream } from "./lite-stream.ts";

const INTERVAL_RANGE = { min: 0, max: CONFLATION_INTERVAL_MS_MAX };
const COUNT_RANGE = { min: 1, max: Number.MAX_SAFE_INTEGER };
const TOPIC = /^[a-z0-9-]+:[^\s*]*?[^\s*/:](?:\/([a-z-]+))?$/;

/** Options of a stream of the small client. */
export type LiteStreamOptions = {
  /** Ends the stream cleanly. */
  readonly signal?: AbortSignal | undefined;
  /** The gateway sends at most once in so long. Default 0: every event. */
  readonly conflationIntervalMs?: number | undefined;
  /** Events that wait for the loop at most; one more ends a stream of trades. Default 10 000. */
  readonly bufferEventsMax?: number | undefined;
  /** How the topics go on: starts, resumes, gaps, lag, refusals. Called when it happens. */
  readonly onNotice?: ((notice: NoticeEvent) => void) | undefined;
};

/**
 * The trades and quotes of one gateway, by name: no patterns, books or calls, and over a WebSocket
 * only. It connects again and resumes, and proves continuity, as `@tickwire/client` does.
 */
export class LiteClient {
  readonly #session: LiteSession;
  readonly #environment: Pick<HostEnvironment, "reportUncaught">;

  /** For this package: clients come from `connect()`. */
  constructor(session: LiteSession, environment: Pick<HostEnvironment, "reportUncaught">) {
    this.#session = session;
    this.#environment = environment;
  }

  /** Where the client stands with its gateway now. */
  get state(): ClientState {
    return this.#session.state;
  }

  /** The gateway's name for the current connection; undefined while there is none. */
  get sessionId(): string | undefined {
    return this.#session.sessionId;
  }

  /** Calls `listener` after each change of `state`. The result removes it. */
  onState(listener: LiteStateListener): () => void {
    return this.#session.onState(listener);
  }

  /** Every trade. Topics are `VENUE:SYMBOL`, one or several. */
  trades(topics: Topics, options?: LiteStreamOptions): LiteStream<Trade> {
    return this.#stream("trades", TRADES, topics, options);
  }

  /** Best bid and offer; a slow loop gets the latest of each topic. */
  quotes(topics: Topics, options?: LiteStreamOptions): LiteStream<Quote> {
    return this.#stream("quotes", QUOTES, topics, options);
  }

  /** Ends every stream cleanly and closes the connection. Idempotent. */
  close(): void {
    this.#session.close();
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #stream<T extends { readonly topic: string }>(
    channel: Channel,
    channelNumber: number,
    topics: Topics,
    options: LiteStreamOptions = {},
  ): LiteStream<T> {
    const names = fullTopics(topics, channel);
    const { signal, conflationIntervalMs = 0, bufferEventsMax = 10_000, onNotice } = options;
    assertIntegerOption("conflationIntervalMs", conflationIntervalMs, INTERVAL_RANGE);
    assertIntegerOption("bufferEventsMax", bufferEventsMax, COUNT_RANGE);
    const session = this.#session;
    if (session.endError !== undefined) throw session.endError;
    const notice = (given: NoticeEvent) => {
      try {
        onNotice?.(given);
      } catch (error) {
        this.#environment.reportUncaught(error);
      }
    };
    const abort = () => stream.close();
    const stream = new OpenStream<T>(bufferEventsMax, channelNumber === QUOTES, () => {
      signal?.removeEventListener("abort", abort);
      consumer.closed = true;
      session.detach(names, consumer);
    });
    const { refusals } = stream;
    const open = new Set(names);
    const consumer: TopicsConsumer = {
      closed: false,
      event: (event) => stream.push(event),
      notice,
      refuse: (name, refusal) => {
        refusals.push(refusal);
        notice({ type: "refused", ...refusal });
        open.delete(name);
        if (open.size === 0) stream.end(new TopicRefusedError(refusals));
      },
      end: (error) => stream.end(error),
    };
    session.attach(names, { channel: channelNumber, conflationIntervalMs }, consumer);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    return stream;
  }
}

/** Names with their channel, each once. Throws TopicRefusedError unless there is one at least. */
function fullTopics(topics: Topics, channel: Channel): string[] {
  const names = [topics].flat().map((topic) => {
    const match = TOPIC.exec(topic);
    if (match === null || (match[1] ?? channel) !== channel) return refuse(topic, channel);
    return match[1] === undefined ? `${topic}/${channel}` : topic;
  });
  return names.length === 0 ? refuse("[]", channel) : [...new Set(names)];
}

function refuse(topic: string, channel: Channel): never {
  const message = `is no name of ${channel}, which has the form VENUE:SYMBOL`;
  throw new TopicRefusedError([{ topic, code: "topic-malformed", message, alternatives: [] }]);
}
