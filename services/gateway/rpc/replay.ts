import { channelToWire } from "@tickwire/proto/codec";
import type { ReplayBreak, ReplayRequest, ReplayResponse } from "@tickwire/proto/service";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Clock } from "#core/clock.ts";
import { parseTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { contentOfBatch } from "#wire/frame-codec.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { EventLog } from "../history/event-log.ts";
import { TopicReplay } from "../history/topic-replay.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { requireAtMost, requireInstrument } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";
import { BYTES_PER_REQUEST } from "./work-price.ts";

/** What replays need of the gateway. */
export type ReplayParts = {
  readonly log: EventLog | undefined;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly metrics: Pick<GatewayMetrics, "replays">;
  readonly replaysMax: number;
};

type ReplayContext = Pick<RpcContext, "line" | "spend" | "signal">;

const TOPICS_MAX = 16;
/** A response is sent when it has so many bytes, or when what follows is not due yet. */
const RESPONSE_BYTES = 32 * 1_024;
const SPEED_PERCENT_MAX = 1_000_000;
/** Who cannot pay now waits so long, and asks for no more meanwhile. */
const PRICE_WAIT_MS = 100;
/** Whoever may do the least can pay so much at once. */
const PRICE_MAX = 8;
const RETRY_AFTER_MS = 5_000;
/** The longest that a timer takes; a longer pause has several. */
const WAIT_MS_MAX = 2 ** 31 - 1;

/** How many replays are under way, and no more than there may be. */
export class ReplayPlaces {
  readonly #parts: Pick<ReplayParts, "metrics" | "replaysMax">;
  #taken = 0;

  constructor(parts: Pick<ReplayParts, "metrics" | "replaysMax">) {
    this.#parts = parts;
  }

  /** @throws RpcError `resource_exhausted` if there is none left. */
  take(): void {
    const { replaysMax } = this.#parts;
    if (this.#taken >= replaysMax) {
      const message = `${this.#taken} replays are under way, and replaysMax is ${replaysMax}`;
      const detail = { reason: "TOO_MANY_REPLAYS", retryAfterMs: RETRY_AFTER_MS };
      throw new RpcError("resource_exhausted", message, { detail });
    }
    this.#taken += 1;
    this.#parts.metrics.replays.set(this.#taken);
  }

  giveBack(): void {
    this.#taken -= 1;
    this.#parts.metrics.replays.set(this.#taken);
  }
}

/**
 * Past events of topics by the stream log, in the order in which they were published. The next is
 * read when the client takes it, so a slow client costs a page of each topic.
 * @throws RpcError, also in the midst of it: `unavailable` if the log fails.
 */
export async function* replay(
  parts: ReplayParts,
  places: ReplayPlaces,
  request: ReplayRequest,
  context: ReplayContext,
): AsyncGenerator<ReplayResponse> {
  const { log } = parts;
  if (log === undefined) {
    const message = "no stream log is kept here: streamLog.kind is off";
    throw new RpcError("unimplemented", message, { detail: { reason: "NO_STREAM_LOG" } });
  }
  const names = topicsOf(parts.catalog, request);
  checkRange(request, names);
  places.take();
  try {
    const topics = names.map((name, index) => topicMessage(parts.catalog, name, index + 1));
    yield { batch: undefined, batches: [], breaks: [], topics };
    const lanes = await openLanes(log, names, request, context);
    yield* new Merge(parts, lanes, request.speedPercent, context).responses();
  } catch (error) {
    if (!(error instanceof StreamLogError)) throw error;
    const detail = { reason: "LOG_UNAVAILABLE", retryAfterMs: RETRY_AFTER_MS };
    const message = "the stream log does not answer now";
    throw new RpcError("unavailable", message, { cause: error, detail });
  } finally {
    places.giveBack();
  }
}

function topicsOf(catalog: Catalog, { topic, topics }: ReplayRequest): readonly Topic[] {
  const texts = topic === "" ? topics : [topic, ...topics];
  if (texts.length === 0) throw new RpcError("invalid_argument", "topic is empty");
  requireAtMost("topics", texts.length, TOPICS_MAX);
  const names = texts.map((text) => topicOf(catalog, text));
  const keys = new Set(names.map(({ venue, symbol, channel }) => `${venue}:${symbol}/${channel}`));
  if (keys.size === names.length) return names;
  throw new RpcError("invalid_argument", "a topic is replayed once");
}

/** By Tickwire's symbol, whatever name the client knows. What is not listed any more has a past. */
function topicOf(catalog: Catalog, text: string): Topic {
  const name = parseTopic(text);
  if (name === undefined) {
    const message = `${quotedText(text)} is no topic of the form VENUE:SYMBOL/channel`;
    throw new RpcError("invalid_argument", message);
  }
  if (name.channel === "listings") return name;
  try {
    const { symbol } = requireInstrument(catalog, name);
    return { ...name, symbol };
  } catch (error) {
    if (error instanceof RpcError && error.code === "not_found") return name;
    throw error;
  }
}

function checkRange(request: ReplayRequest, names: readonly Topic[]): void {
  const { fromTimeUs, toTimeUs, afterEpoch, speedPercent } = request;
  requireAtMost("speed_percent", speedPercent, SPEED_PERCENT_MAX);
  for (const [field, timeUs] of Object.entries({ fromTimeUs, toTimeUs })) {
    if (timeUs < 0) throw badRange(`${field} ${timeUs} is before 1970`);
  }
  if (toTimeUs !== 0 && fromTimeUs >= toTimeUs) {
    throw badRange(`from_time_us ${fromTimeUs} is not before to_time_us ${toTimeUs}`);
  }
  if (afterEpoch === 0) return;
  if (names.length > 1) throw badRange("a position is of one topic");
  if (fromTimeUs !== 0) throw badRange("a replay begins at a position or at a time");
}

function badRange(message: string): RpcError {
  return new RpcError("invalid_argument", message, { detail: { reason: "BAD_RANGE" } });
}

function topicMessage(catalog: Catalog, name: Topic, topicId: number) {
  const { venue, symbol, channel } = name;
  const venueSymbol = catalog.instrument(venue, symbol)?.venueSymbol ?? "";
  const topic = `${venue}:${symbol}/${channel}`;
  return { topicId, topic, venue, symbol, venueSymbol, channel: channelToWire(channel) };
}

async function openLanes(
  log: EventLog,
  names: readonly Topic[],
  request: ReplayRequest,
  { line }: ReplayContext,
): Promise<TopicReplay[]> {
  const { fromTimeUs, toTimeUs, afterEpoch: epoch, afterSequence: sequence } = request;
  const range = { fromTimeUs, toTimeUs };
  if (epoch === 0) {
    return Promise.all(names.map((name) => TopicReplay.ofTime({ log, name, line }, range)));
  }
  const [name] = names as [Topic];
  const lane = await TopicReplay.ofPosition({ log, name, line }, { epoch, sequence }, range);
  if (lane !== undefined) return [lane];
  const message = `what follows position ${epoch}/${sequence} is not kept`;
  throw new RpcError("not_found", message, { detail: { reason: "POSITION_NOT_KEPT" } });
}

/** What one response collects. */
type Collected = {
  batches: Uint8Array[];
  breaks: ReplayBreak[];
  bytes: number;
  /** Topics that have batches in it. */
  readonly topicIds: Set<number>;
};

const nothing = (): Collected => ({ batches: [], breaks: [], bytes: 0, topicIds: new Set() });

/** Topics that are replayed together: what was published first comes first. */
class Merge {
  readonly #clock: Clock;
  readonly #lanes: readonly TopicReplay[];
  readonly #speedPercent: number;
  readonly #context: ReplayContext;
  #begun: { readonly publishedTimeUs: number; readonly atUs: number } | undefined;

  constructor(
    { clock }: ReplayParts,
    lanes: readonly TopicReplay[],
    speedPercent: number,
    context: ReplayContext,
  ) {
    this.#clock = clock;
    this.#lanes = lanes;
    this.#speedPercent = speedPercent;
    this.#context = context;
  }

  async *responses(): AsyncGenerator<ReplayResponse> {
    let collected = nothing();
    for (;;) {
      const next = await this.#next();
      if (next === undefined) break;
      const waitMs = this.#waitMs(next.publishedTimeUs);
      if (collected.bytes > 0 && (waitMs > 0 || collected.bytes >= RESPONSE_BYTES)) {
        yield await this.#priced(collected);
        collected = nothing();
      }
      if (waitMs > 0) {
        await this.#wait(waitMs);
        continue;
      }
      const { batch, break: begins } = next.lane.take();
      const { topicId } = next;
      if (begins !== undefined && collected.topicIds.has(topicId)) {
        // Whoever reads a response reads its breaks before its batches.
        yield await this.#priced(collected);
        collected = nothing();
      }
      if (begins !== undefined) {
        const { epoch, sequence, missing } = begins;
        const [missingFirst, missingLast] = [missing?.first ?? 0, missing?.last ?? 0];
        collected.breaks.push({ topicId, epoch, sequence, missingFirst, missingLast });
      }
      const isBased = begins !== undefined || batch.rebase;
      const content = contentOfBatch(topicId, batch, isBased);
      collected.batches.push(content);
      collected.topicIds.add(topicId);
      collected.bytes += content.byteLength;
    }
    if (collected.bytes > 0) yield await this.#priced(collected);
  }

  async #next() {
    let first:
      | { readonly lane: TopicReplay; readonly topicId: number; readonly publishedTimeUs: number }
      | undefined;
    for (const [index, lane] of this.#lanes.entries()) {
      const publishedTimeUs = await lane.nextTimeUs();
      if (publishedTimeUs === undefined) continue;
      if (first !== undefined && publishedTimeUs >= first.publishedTimeUs) continue;
      first = { lane, topicId: index + 1, publishedTimeUs };
    }
    return first;
  }

  /** Until the batch is due, if there is a pace. */
  #waitMs(publishedTimeUs: number): number {
    if (this.#speedPercent === 0) return 0;
    const nowUs = this.#clock.monotonicUs();
    this.#begun ??= { publishedTimeUs, atUs: nowUs };
    const sinceUs = ((publishedTimeUs - this.#begun.publishedTimeUs) * 100) / this.#speedPercent;
    return Math.max(0, (this.#begun.atUs + sinceUs - nowUs) / 1_000);
  }

  /** The response, as soon as the client can pay for it. */
  async #priced({ batches, breaks, bytes }: Collected): Promise<ReplayResponse> {
    const price = Math.min(bytes / BYTES_PER_REQUEST, PRICE_MAX);
    while (!this.#pays(price)) await this.#wait(PRICE_WAIT_MS);
    return { batch: undefined, batches, breaks, topics: [] };
  }

  #pays(price: number): boolean {
    try {
      this.#context.spend(price);
      return true;
    } catch (error) {
      if (error instanceof RpcError && error.code === "resource_exhausted") return false;
      throw error;
    }
  }

  /** Resolves after the time. Rejects when the call is over. */
  async #wait(delayMs: number): Promise<void> {
    const { signal } = this.#context;
    signal.throwIfAborted();
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const cancel = this.#clock.after(Math.min(delayMs, WAIT_MS_MAX), wake);
    signal.addEventListener("abort", wake, { once: true });
    await woken;
    cancel();
    signal.removeEventListener("abort", wake);
    signal.throwIfAborted();
  }
}
