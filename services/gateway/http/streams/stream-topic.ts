import { BatchReader, rowsOf } from "@tickwire/proto/codec";
import type { BatchReading, BatchRows, DecodedBatch } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import type { Channel } from "@tickwire/proto/model";
import { EventJson } from "#wire/event-json.ts";
import type { EventSource, EventType, TypedRow } from "#wire/event-json.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import type { ToldBatches } from "./told-batches.ts";
import { streamEvent } from "./stream-event.ts";
import type { StreamEvent } from "./stream-event.ts";

/** Events of one batch that are told together at most, so that no text grows without a bound. */
const EVENTS_TOLD_MAX = 500;
/** Events that are written before others may have a turn. */
const EVENTS_PER_STEP = 50;

/** What the gateway says of a topic when it is subscribed. */
type StreamTopicNames = EventSource & {
  /** `VENUE:SYMBOL/channel`. */
  readonly topic: string;
  readonly channel: Channel;
};

/** How a topic begins, or begins anew. */
type StreamTopicStart = {
  readonly position: TopicPosition;
  readonly continuity: "new" | "resumed" | "replaced";
  /** Where the epoch of the position that was asked for ended, if anybody knows. */
  readonly ended: TopicPosition | undefined;
  /** From where the client wanted to go on. */
  readonly asked: TopicPosition | undefined;
  /** Nothing is sent before the first event, so the position can be gone on from at once. */
  readonly startsBare: boolean;
  /** Which batches others are told too, and where these are kept; undefined for nobody else. */
  readonly shared: SharedTelling | undefined;
  /** What applies of what was asked for, to be told with the start. */
  readonly view: Readonly<Record<string, unknown>>;
};

/** Where the batches of one view of a topic are told once for all of its sessions. */
type SharedTelling = {
  readonly batches: ToldBatches;
  readonly topicId: number;
  /** Which view of the topic it is. */
  readonly view: string;
};

/** Said of every event by the channel that it comes on. */
const TYPES = new Map(EVENT_KINDS.map(({ channel, type }) => [channel, type as EventType]));

const json = new EventJson();

/**
 * One topic of a text stream: reads its batches as a client does, and tells them as JSON, each with
 * the sequences that it stands for. Whoever has received what was told up to a moment can go on
 * from `position` of that moment.
 */
export class StreamTopic {
  readonly names: StreamTopicNames;
  readonly #reader = new BatchReader();
  readonly #asked: TopicPosition | undefined;
  /** Up to where everything was told. */
  #told: TopicPosition;
  /** The client has what `#told` stands on: there is none to have, or it was told. */
  #isWhole: boolean;
  /** What is missing up to here was told. */
  #missingTold = 0;
  #shared: SharedTelling | undefined;
  /** The batch at hand. */
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(names: StreamTopicNames, start: StreamTopicStart) {
    const { position, startsBare, continuity } = start;
    this.names = names;
    this.#asked = start.asked;
    this.#shared = start.shared;
    this.#told = position;
    this.#isWhole = startsBare || continuity === "resumed" || position.sequence === 0;
  }

  /**
   * From where a client that has everything that was told may go on; undefined: from nowhere.
   * Before it has a state that it needs, it stands where it stood when it came.
   */
  get position(): TopicPosition | undefined {
    return this.#isWhole ? this.#told : this.#asked;
  }

  /** Tells how the topic begins, and what was lost before. */
  *begin({ continuity, position, ended, asked, view }: StreamTopicStart): Generator<StreamEvent> {
    if (continuity === "replaced" && asked !== undefined) {
      const loss = lossBetween(asked, position, ended);
      if (loss !== undefined) yield this.#gap(loss);
      this.#missingTold = position.sequence;
    }
    yield this.#continuity(continuity, "subscribed", view);
  }

  /** The gateway says that these sequences will not come. */
  *miss(missingFirst: number, missingLast: number): Generator<StreamEvent> {
    if (missingLast <= this.#missingTold) return;
    this.#missingTold = missingLast;
    const { epoch, sequence } = this.#told;
    if (missingLast > sequence) this.#told = { epoch, sequence: missingLast };
    yield this.#gap({ epoch, missingFirst, missingLast, reason: "server-dropped" });
  }

  /** The topic goes on in another epoch. `missingLast` is 0 if nothing is known to be missing. */
  *changeEpoch(
    position: TopicPosition,
    missing: { readonly first: number; readonly last: number },
  ): Generator<StreamEvent> {
    const { epoch } = this.#told;
    if (missing.last > 0) {
      const { first: missingFirst, last: missingLast } = missing;
      this.#told = { epoch, sequence: missingLast };
      yield this.#gap({ epoch, missingFirst, missingLast, reason: "epoch-changed" });
    }
    this.#told = position;
    this.#missingTold = 0;
    this.#isWhole = true;
    yield this.#continuity("replaced", "epoch-changed");
  }

  /** The gateway ended the topic. */
  end(reason: string): StreamEvent {
    return this.#continuity("ended", reason);
  }

  /**
   * Tells a batch, bytes[start..end), and yields undefined where others may have a turn. `isLast`:
   * no further part of the same state follows. Throws WireError for bytes that are no batch.
   */
  *tell(
    bytes: Uint8Array,
    { start, end, isLast }: { readonly start: number; readonly end: number; isLast: boolean },
  ): Generator<StreamEvent | undefined> {
    const reading: BatchReading = this.#reader.read(bytes, start, end);
    if (reading.outcome !== "read") return;
    const { batch } = reading;
    this.#bytes = bytes.subarray(start, end);
    if (batch.snapshot) yield* this.#tellState(batch, isLast);
    else yield* this.#tellNews(batch);
  }

  *#tellState(batch: DecodedBatch, isLast: boolean): Generator<StreamEvent | undefined> {
    const { epoch, firstSequence: sequence } = batch;
    const { topic, channel } = this.names;
    const { count } = batch;
    for (let from = 0; from < count; from += EVENTS_TOLD_MAX) {
      const to = Math.min(count, from + EVENTS_TOLD_MAX);
      const events = yield* this.#eventsOf(batch, { from, to }, () => ({ epoch, sequence }));
      const more = to < count || !isLast;
      if (!more) {
        this.#told = { epoch, sequence };
        this.#isWhole = true;
      }
      const head = headOf({ topic, channel, epoch, sequence, more });
      yield { name: "snapshot", data: `${head},"events":[${events}]}` };
    }
  }

  *#tellNews(batch: DecodedBatch): Generator<StreamEvent | undefined> {
    const { epoch, firstSequence, count, skipped } = batch;
    const { topic, channel } = this.names;
    const before = firstSequence - 1 - skipped;
    let previousSequence = this.#told.epoch === epoch ? this.#told.sequence : before;
    // A resume may begin within a batch.
    const known = Math.max(0, previousSequence + 1 - firstSequence);
    if (known >= count) return;
    if (before > previousSequence) {
      yield this.#gap({
        epoch,
        missingFirst: previousSequence + 1,
        missingLast: before,
        reason: "sequence-gap",
      });
      previousSequence = before;
    }
    for (let from = known; from < count; from += EVENTS_TOLD_MAX) {
      const to = Math.min(count, from + EVENTS_TOLD_MAX);
      const first = firstSequence + from;
      const events = yield* this.#eventsOf(batch, { from, to }, (index) => {
        return { epoch, sequence: first + index };
      });
      const sequence = firstSequence + to - 1;
      this.#told = { epoch, sequence };
      this.#isWhole = true;
      const head = headOf({ topic, epoch, previousSequence, sequence });
      yield { name: channel, data: `${head},"events":[${events}]}` };
      previousSequence = sequence;
    }
  }

  /** The events as JSON, as somebody else was told them if that is so. */
  *#eventsOf(
    batch: DecodedBatch,
    { from, to }: { readonly from: number; readonly to: number },
    positionOf: (index: number) => TopicPosition,
  ): Generator<undefined, string> {
    const isAll = from === 0 && to === batch.count;
    const shared = isAll ? this.#shared : undefined;
    if (shared === undefined) return yield* this.#format(rowsFrom(batch, from, to), positionOf);
    // While others have their turns, the next batch of the topic waits for this one.
    const bytes = this.#bytes;
    const { topicId, view } = shared;
    const { epoch, firstSequence, count, skipped, snapshot } = batch;
    const place = { topicId, view, epoch, firstSequence, count, skipped, snapshot };
    const told = shared.batches.find(place, bytes);
    if (told !== undefined) return told;
    const events = yield* this.#format(rowsFrom(batch, from, to), positionOf);
    shared.batches.keep(place, bytes, events);
    return events;
  }

  /** What follows comes in another view, for this client alone. */
  leaveOthers(): void {
    this.#shared = undefined;
  }

  *#format(
    rows: BatchRows["rows"],
    positionOf: (index: number) => TopicPosition,
  ): Generator<undefined, string> {
    const type = TYPES.get(this.names.channel) as EventType;
    let text = "";
    for (const [index, row] of rows.entries()) {
      if (index > 0 && index % EVENTS_PER_STEP === 0) yield;
      const event = { type, row } as unknown as TypedRow;
      const line = yield* json.formatInSteps(this.names, positionOf(index), event);
      text += index === 0 ? line : `,${line}`;
    }
    return text;
  }

  #gap(loss: Loss): StreamEvent {
    const { topic, venue, symbol } = this.names;
    return streamEvent("gap", { type: "gap", topic, venue, symbol, ...loss });
  }

  #continuity(continuity: string, reason: string, view: object = {}): StreamEvent {
    const { topic, venue, symbol, venueSymbol, channel } = this.names;
    const { epoch, sequence } = this.#told;
    const names = { topic, venue, symbol, venueSymbol, channel };
    const values = { type: "continuity", ...names, continuity, epoch, sequence, reason };
    return streamEvent("continuity", { ...values, ...view });
  }
}

type Loss = {
  readonly epoch: number;
  readonly missingFirst: number;
  /** Absent if the extent is not known. */
  readonly missingLast?: number;
  readonly reason: "server-dropped" | "not-resumable" | "sequence-gap" | "epoch-changed";
};

/** What a client has lost that stood at `asked` and begins anew at `now`. */
function lossBetween(
  asked: TopicPosition,
  now: TopicPosition,
  ended: TopicPosition | undefined,
): Loss | undefined {
  const { epoch } = asked;
  const missingFirst = asked.sequence + 1;
  if (now.epoch !== epoch) {
    if (ended?.epoch !== epoch) return { epoch, missingFirst, reason: "epoch-changed" };
    if (ended.sequence < missingFirst) return undefined;
    return { epoch, missingFirst, missingLast: ended.sequence, reason: "epoch-changed" };
  }
  if (now.sequence < missingFirst) return undefined;
  return { epoch, missingFirst, missingLast: now.sequence, reason: "not-resumable" };
}

function rowsFrom(batch: DecodedBatch, from: number, to: number): BatchRows["rows"] {
  return rowsOf(batch).rows.slice(from, to);
}

function headOf(values: Readonly<Record<string, string | number | boolean>>): string {
  return JSON.stringify(values).slice(0, -1);
}
