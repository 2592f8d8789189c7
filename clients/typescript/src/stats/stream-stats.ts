import { PongCodec } from "@tickwire/proto/messages";
import type { NoticeEvent } from "../events/stream-events.ts";
import type { ServerMessage } from "../session/frame.ts";
import type { SessionLink, SessionPart } from "../session/session-part.ts";
import { ClockOffsets } from "./clock-offset.ts";
import { LagHistogram, type LagPercentiles } from "./lag-histogram.ts";

/** Something counted, and how fast it goes. */
export type Rate = {
  /** Over the life of the client. */
  readonly total: number;
  /** Since `stats()` was called before. */
  readonly perSecond: number;
};

/** What came of one topic. */
export type TopicStats = {
  /** `VENUE:SYMBOL/channel`. */
  readonly topic: string;
  /** Market events. */
  readonly events: Rate;
  /** Of its batches, before compression. */
  readonly bytes: Rate;
  /** Events that were said to be missing. */
  readonly missingEvents: number;
};

/** What a client has received, and how late. */
export type ClientStats = {
  /** How long ago `stats()` was called before, or the client was made. */
  readonly overMs: number;
  /** Market events, each once. */
  readonly events: Rate;
  /** Batches that they came in. */
  readonly batches: Rate;
  /** Of the batches, before compression. */
  readonly bytes: Rate;
  /** Events that were said to be missing, as far as their number is known. */
  readonly missingEvents: number;
  /** Gaps of unknown extent. */
  readonly unknownGaps: number;
  /** Topics that went on exactly where they were. */
  readonly resumes: number;
  /** Topics that began anew in place of going on. */
  readonly replacements: number;
  /** Connections after the first that replaced one that was lost. */
  readonly reconnects: number;
  /** Connections that took over without a break. */
  readonly moves: number;
  /**
   * The way to the gateway and back, of the quickest of the last pings; undefined before the first
   * answer.
   */
  readonly roundTripMs: number | undefined;
  /**
   * What is added to the client's clock, that of its option `clock`, to have the gateway's, in
   * microseconds; undefined before the first answer.
   */
  readonly clockOffsetUs: number | undefined;
  /**
   * From the venue to here, a sample for each batch since `stats()` was called before, on the
   * gateway's clock. Undefined without samples: the first call begins to measure.
   */
  readonly venueLag: LagPercentiles | undefined;
  /** From the publication by the ingestor to here, in the same way. */
  readonly publishedLag: LagPercentiles | undefined;
  /** Each topic that has come, at most the first 10 000. */
  readonly topics: readonly TopicStats[];
};

/** Topics that are counted by themselves. */
const TOPICS_MAX = 10_000;
const PING_INTERVAL_MS = 30_000;
/** The first pings come quickly after each other, so that one of them is a quick one. */
const FIRST_PINGS = 4;
const FIRST_INTERVAL_MS = 250;
/** Those of the connection's watchdog count from 1. */
const NONCE_BASE = 2 ** 40;

/** What is looked at of a batch. */
type MeasuredBatch = {
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
  readonly venueTimesUs: ArrayLike<number | undefined>;
  readonly count: number;
};

/** Counts what comes of one topic. */
export class TopicMeter {
  events = 0;
  bytes = 0;
  missingEvents = 0;
  /** When `stats()` was called before. */
  eventsBefore = 0;
  bytesBefore = 0;
  readonly #stats: StreamStats;

  constructor(stats: StreamStats) {
    this.#stats = stats;
  }

  /** So many events of a batch are new. */
  batch(batch: MeasuredBatch, events: number, bytes: number): void {
    this.events += events;
    this.bytes += bytes;
    this.#stats.batch(batch, events, bytes);
  }

  /** So many more events of the batch before are new. */
  more(events: number): void {
    this.events += events;
    this.#stats.more(events);
  }

  /** What the topic says about itself. */
  notice(notice: NoticeEvent): void {
    if (notice.type === "gap" && notice.missingLast !== undefined) {
      this.missingEvents += notice.missingLast - notice.missingFirst + 1;
    }
    this.#stats.notice(notice);
  }
}

/** The statistics of one client. What it takes for a batch is a few additions. */
export class StreamStats implements SessionPart {
  readonly members = { outbound: {}, inbound: { "6mpong": PongCodec } };
  readonly #link: SessionLink;
  readonly #meters = new Map<string, TopicMeter>();
  /** Those topics that are too many, together. */
  readonly #others: TopicMeter = new TopicMeter(this);
  readonly #offsets = new ClockOffsets();
  readonly #venueLag = new LagHistogram();
  readonly #publishedLag = new LagHistogram();
  /** In the order of the result: events, batches, bytes. */
  #now = [0, 0, 0];
  #before = [0, 0, 0];
  #missingEvents = 0;
  #unknownGaps = 0;
  #resumes = 0;
  #replacements = 0;
  #connections = 0;
  #moves = 0;
  #takenAtUs: number;
  #isMeasuring = false;
  #isConnected = false;
  #cancelPing: () => void = () => undefined;
  #pings = 0;
  #pingSentAtUs = 0;
  #offsetUs: number | undefined;

  constructor(link: SessionLink) {
    this.#link = link;
    this.#takenAtUs = link.clock.nowUs();
  }

  /** The meter of a topic, the same whenever it comes again. */
  meterOf(topic: string): TopicMeter {
    const known = this.#meters.get(topic);
    if (known !== undefined) return known;
    if (this.#meters.size >= TOPICS_MAX) return this.#others;
    const meter = new TopicMeter(this);
    this.#meters.set(topic, meter);
    return meter;
  }

  /** For meters. */
  batch(batch: MeasuredBatch, events: number, bytes: number): void {
    const now = this.#now;
    now[0]! += events;
    now[1]! += 1;
    now[2]! += bytes;
    if (this.#offsetUs === undefined || batch.snapshot) return;
    const nowUs = this.#link.clock.nowUs() + this.#offsetUs;
    this.#publishedLag.observe(nowUs - batch.publishedTimeUs);
    const venueTimeUs = batch.venueTimesUs[batch.count - 1];
    if (venueTimeUs !== undefined) this.#venueLag.observe(nowUs - venueTimeUs);
  }

  /** For meters. */
  more(events: number): void {
    this.#now[0]! += events;
  }

  /** For meters. */
  notice(notice: NoticeEvent): void {
    if (notice.type === "gap") {
      const { missingFirst, missingLast } = notice;
      if (missingLast === undefined) this.#unknownGaps += 1;
      else this.#missingEvents += missingLast - missingFirst + 1;
    } else if (notice.type === "continuity") {
      if (notice.continuity === "resumed") this.#resumes += 1;
      else if (notice.continuity === "replaced") this.#replacements += 1;
    }
  }

  /** What came so far. Rates and lags are of the time since it was called before. */
  take(): ClientStats {
    const nowUs = this.#link.clock.nowUs();
    const overMs = (nowUs - this.#takenAtUs) / 1_000;
    this.#takenAtUs = nowUs;
    const rate = (total: number, before: number): Rate => ({
      total,
      perSecond: overMs > 0 ? ((total - before) / overMs) * 1_000 : 0,
    });
    const [events, batches, bytes] = this.#now.map((total, at) => rate(total, this.#before[at]!));
    this.#before = [...this.#now];
    const { best } = this.#offsets;
    const stats = {
      overMs,
      events: events!,
      batches: batches!,
      bytes: bytes!,
      missingEvents: this.#missingEvents,
      unknownGaps: this.#unknownGaps,
      resumes: this.#resumes,
      replacements: this.#replacements,
      reconnects: Math.max(0, this.#connections - 1 - this.#moves),
      moves: this.#moves,
      roundTripMs: best && best.roundTripUs / 1_000,
      clockOffsetUs: best && Math.round(best.offsetUs),
      venueLag: this.#venueLag.take(),
      publishedLag: this.#publishedLag.take(),
      topics: [...this.#meters].map(([topic, meter]) => topicStats(topic, meter, rate)),
    };
    if (!this.#isMeasuring) {
      this.#isMeasuring = true;
      this.#beginPings();
    }
    return stats;
  }

  handleConnected(): void {
    this.#connections += 1;
    this.#isConnected = true;
    this.#offsets.clear();
    this.#offsetUs = undefined;
    this.#beginPings();
  }

  handleDisconnected(): void {
    this.#isConnected = false;
    this.#cancelPing();
  }

  handleMoved(): void {
    this.#moves += 1;
  }

  handleMessage(message: ServerMessage): void {
    if (message.kind !== "pong" || message.value.nonce !== NONCE_BASE + this.#pings) return;
    const nowUs = this.#link.clock.nowUs();
    this.#offsets.observe(this.#pingSentAtUs, nowUs, message.value.serverTimeUs);
    this.#offsetUs = this.#offsets.best?.offsetUs;
  }

  close(): void {
    this.handleDisconnected();
  }

  #beginPings(): void {
    this.#cancelPing();
    if (this.#isMeasuring && this.#isConnected) this.#ping(1);
  }

  #ping(count: number): void {
    const { clock, pacer, send } = this.#link;
    this.#pings += 1;
    this.#pingSentAtUs = clock.nowUs();
    pacer.charge(1);
    send([{ kind: "ping", value: { nonce: NONCE_BASE + this.#pings } }]);
    const delayMs = count < FIRST_PINGS ? FIRST_INTERVAL_MS : PING_INTERVAL_MS;
    this.#cancelPing = clock.after(delayMs, () => this.#ping(count + 1));
  }
}

function topicStats(
  topic: string,
  meter: TopicMeter,
  rate: (total: number, before: number) => Rate,
): TopicStats {
  const { events, bytes, missingEvents } = meter;
  const stats = {
    topic,
    events: rate(events, meter.eventsBefore),
    bytes: rate(bytes, meter.bytesBefore),
    missingEvents,
  };
  meter.eventsBefore = events;
  meter.bytesBefore = bytes;
  return stats;
}
