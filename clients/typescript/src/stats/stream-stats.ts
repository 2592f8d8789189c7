import type { NoticeEvent } from "../events/stream-events.ts";
import { PongControl } from "../session/control-messages.ts";
import type { ServerMessage } from "../session/frame.ts";
import type { SessionLink, SessionPart } from "../session/session-part.ts";
import { LateCode } from "../host/late-code.ts";
import type { LagPercentiles } from "./lag-histogram.ts";
import type { LagMeter, Lags, MeasuredBatch } from "./lag-meter.ts";

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
/** Before anything was measured. */
const NO_LAGS: Lags = {
  roundTripMs: undefined,
  clockOffsetUs: undefined,
  venueLag: undefined,
  publishedLag: undefined,
};

type LagMeterConstructor = new (link: SessionLink) => LagMeter;

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
  readonly members = { outbound: {}, inbound: { "6mpong": PongControl } };
  readonly #link: SessionLink;
  readonly #meters = new Map<string, TopicMeter>();
  /** Those topics that are too many, together. */
  readonly #others: TopicMeter = new TopicMeter(this);
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
  #isConnected = false;
  /** What measures lags is loaded when somebody asks for the first time. */
  readonly #code: LateCode<LagMeterConstructor>;
  #isMeasuring = false;
  #lags: LagMeter | undefined;

  constructor(link: SessionLink, load = loadLagMeter) {
    this.#link = link;
    this.#code = new LateCode(load, link);
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
    this.#lags?.batch(batch);
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
      ...(this.#lags?.take() ?? NO_LAGS),
      topics: [...this.#meters].map(([topic, meter]) => topicStats(topic, meter, rate)),
    };
    // It never rejects.
    if (!this.#isMeasuring) void this.#measure();
    return stats;
  }

  handleConnected(): void {
    this.#connections += 1;
    this.#isConnected = true;
    this.#lags?.begin();
  }

  handleDisconnected(): void {
    this.#isConnected = false;
    this.#lags?.end();
  }

  handleMoved(): void {
    this.#moves += 1;
  }

  handleMessage(message: ServerMessage): void {
    if (message.kind === "pong") this.#lags?.pong(message.value);
  }

  close(): void {
    this.handleDisconnected();
  }

  /** If its code cannot be had, whoever asks next tries again. */
  async #measure(): Promise<void> {
    this.#isMeasuring = true;
    try {
      const Meter = await this.#code.get();
      this.#lags = new Meter(this.#link);
    } catch {
      this.#isMeasuring = false;
      return;
    }
    if (this.#isConnected) this.#lags.begin();
  }
}

async function loadLagMeter(): Promise<LagMeterConstructor> {
  return (await import("./lag-meter.ts")).LagMeter;
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
