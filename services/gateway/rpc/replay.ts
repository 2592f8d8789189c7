import { channelToWire } from "@tickwire/proto/codec";
import type { ReplayBreak, ReplayRequest, ReplayResponse } from "@tickwire/proto/service";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Clock } from "#core/clock.ts";
import { formatTopic, parseTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { contentOfBatch } from "#wire/frame-codec.ts";
import type { Principal } from "../access/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { findInstrument } from "../catalog/unknown-name.ts";
import type { EventLog } from "../history/event-log.ts";
import { TopicReplay } from "../history/topic-replay.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { permissionDenied, requireTopic } from "./permissions.ts";
import { requireAtMost } from "./request-checks.ts";
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

type ReplayContext = Pick<RpcContext, "line" | "spend" | "signal" | "principal">;

/** A topic that is asked for, and up to when whoever asks may have it. */
type AskedTopic = { readonly name: Topic; readonly delayMs: number };

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
  const asked = topicsOf(parts.catalog, request, context.principal);
  const names = asked.map(({ name }) => name);
  checkRange(request, names);
  places.take();
  try {
    const topics = names.map((name, index) => topicMessage(parts.catalog, name, index + 1));
    yield { batch: undefined, batches: [], breaks: [], topics };
    const nowUs = parts.clock.nowUs();
    const lanes = await openLanes(log, asked, { request, nowUs }, context);
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

function topicsOf(
  catalog: Catalog,
  { topic, topics }: ReplayRequest,
  principal: Principal,
): readonly AskedTopic[] {
  const texts = topic === "" ? topics : [topic, ...topics];
  if (texts.length === 0) throw new RpcError("invalid_argument", "topic is empty");
  requireAtMost("topics", texts.length, TOPICS_MAX);
  const asked = texts.map((text) => topicOf(catalog, text, principal));
  const keys = new Set(asked.map(({ name }) => formatTopic(name)));
  if (keys.size === asked.length) return asked;
  throw new RpcError("invalid_argument", "a topic is replayed once");
}

/** By Tickwire's symbol, whatever name the client knows. What is not listed any more has a past. */
function topicOf(catalog: Catalog, text: string, principal: Principal): AskedTopic {
  const given = parseTopic(text);
  if (given === undefined) {
    const message = `${quotedText(text)} is no topic of the form VENUE:SYMBOL/channel`;
    throw new RpcError("invalid_argument", message);
  }
  const found = findInstrument(catalog, given);
  const symbol = found.kind === "found" ? found.instrument.symbol : given.symbol;
  const name = { ...given, symbol };
  const { depthMax, intervalMsMin, delayMs } = requireTopic(principal, name, name.channel);
  // What was published is neither cut nor merged here.
  if (depthMax > 0 || intervalMsMin > 0) {
    throw permissionDenied(`a replay of ${formatTopic(name)}, of which you may have a view only,`);
  }
  return { name, delayMs };
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
  const topic = formatTopic(name);
  return { topicId, topic, venue, symbol, venueSymbol, channel: channelToWire(channel) };
}

async function openLanes(
  log: EventLog,
  asked: readonly AskedTopic[],
  { request, nowUs }: { readonly request: ReplayRequest; readonly nowUs: number },
  { line }: ReplayContext,
): Promise<TopicReplay[]> {
  const { fromTimeUs, afterEpoch: epoch, afterSequence: sequence } = request;
  const rangeOf = ({ delayMs }: AskedTopic) => {
    return { fromTimeUs, toTimeUs: endOf(request.toTimeUs, delayMs, nowUs) };
  };
  if (epoch === 0) {
    return Promise.all(
      asked.map((one) => TopicReplay.ofTime({ log, name: one.name, line }, rangeOf(one))),
    );
  }
  const [one] = asked as [AskedTopic];
  const parts = { log, name: one.name, line };
  const lane = await TopicReplay.ofPosition(parts, { epoch, sequence }, rangeOf(one));
  if (lane !== undefined) return [lane];
  const message = `what follows position ${epoch}/${sequence} is not kept`;
  throw new RpcError("not_found", message, { detail: { reason: "POSITION_NOT_KEPT" } });
}

/** Who gets everything later gets what is older than that. */
function endOf(toTimeUs: number, delayMs: number, nowUs: number): number {
  if (delayMs === 0) return toTimeUs;
  const delayedUs = nowUs - delayMs * 1_000;
  return toTimeUs === 0 ? delayedUs : Math.min(toTimeUs, delayedUs);
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
