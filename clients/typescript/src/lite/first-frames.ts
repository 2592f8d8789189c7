import type { ContinuityEvent } from "../events/stream-events.ts";
import { continuityNotice } from "../topics/continuity-notice.ts";
import type { Position } from "../topics/position-tracker.ts";
import { LiteReader, QUOTES, TRADES, type Batch, type Names } from "./batch.ts";
import { bytesOf, fieldsOf, messageOf, numberOf, textOf, type Fields } from "./wire.ts";

// Kind of the schema's ServerMessage.
const SUBSCRIBE_RESULT = 2;

const NOWHERE: Position = { epoch: 0, sequence: 0 };

/** Who asked for topics. */
type Owner = {
  readonly topics: readonly string[];
  readonly consumer: { readonly closed: boolean };
};

/** A topic that the gateway serves. */
type FirstTopic<Asker extends Owner> = {
  readonly names: Names;
  readonly channel: number;
  readonly owner: Asker;
  readonly reader: LiteReader;
  /** Undefined before the first batch of a topic whose place the gateway did not say. */
  position: Position | undefined;
};

/** A topic that begins: who is to be told, and what. */
type Start<Asker extends Owner> = readonly [owner: Asker, notice: ContinuityEvent];

/** What a frame has that is of the ordinary: topics that begin, then batches in order. */
type FirstFrame<Asker extends Owner> = {
  readonly starts: readonly Start<Asker>[];
  readonly readings: readonly (readonly [owner: Asker, batch: Batch])[];
};

/**
 * Reads the first frames of a connection, as long as there is nothing in them but topics that begin
 * as they were asked for, and batches of trades and quotes of which each follows the one before.
 */
export class FirstFrames<Asker extends Owner> {
  /** Who asked in each request, the first of which has number 1. */
  readonly asked: (readonly Asker[])[] = [];
  readonly #topics = new Map<number, FirstTopic<Asker>>();

  /** Undefined for a frame that is not of the ordinary: then nothing may be read here any more. */
  read(bytes: Uint8Array): FirstFrame<Asker> | undefined {
    try {
      return this.#read(fieldsOf(bytes));
    } catch (error) {
      // Of our own faults nothing is hidden.
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
      return undefined;
    }
  }

  #read(frame: Fields): FirstFrame<Asker> | undefined {
    const starts: Start<Asker>[] = [];
    for (const bytes of bytesOf(frame, 1)) {
      const message = fieldsOf(bytes);
      const result = messageOf(message, SUBSCRIBE_RESULT);
      // Of a field that is not there, an array has nothing at all.
      if (result === undefined || Object.keys(message).length !== 1) return undefined;
      const asked = this.asked[numberOf(result, 1) - 1] ?? [];
      for (const answer of bytesOf(result, 2)) {
        if (!this.#start(fieldsOf(answer), asked, starts)) return undefined;
      }
    }
    const readings: (readonly [Asker, Batch])[] = [];
    for (const bytes of bytesOf(frame, 2)) {
      const fields = fieldsOf(bytes);
      const topic = this.#topics.get(numberOf(fields, 1));
      const batch = topic?.reader.read(fields, topic.names);
      if (topic === undefined || batch?.channel !== topic.channel) return undefined;
      const { epoch, firstSequence, count, skipped, snapshot } = batch;
      const before = snapshot ? firstSequence : firstSequence - 1;
      const at = topic.position ?? { epoch, sequence: before };
      const follows = at.epoch === epoch && at.sequence === before && skipped === 0;
      // What nobody wants any more is to be given up.
      if (!follows || topic.owner.consumer.closed) return undefined;
      readings.push([topic.owner, batch]);
      topic.position = { epoch, sequence: snapshot ? before : before + count };
    }
    return { starts, readings };
  }

  /** False for an answer that is not that of a topic which begins as it was asked for. */
  #start(answer: Fields, asked: readonly Asker[], starts: Start<Asker>[]): boolean {
    const wanted = asked.flatMap((owner) => owner.topics.map((topic) => ({ topic, owner })));
    const { topic = "", owner } = wanted[numberOf(answer, 1)] ?? {};
    const id = numberOf(answer, 5);
    // Its error, its view, where an epoch ended, and what follows of a resume.
    const isPlain = [3, 12, 13, 15, 17].every((field) => answer[field] === undefined);
    const isNew = isPlain && numberOf(answer, 11) < 2 && topic === textOf(answer, 2);
    if (owner?.consumer.closed !== false || !isNew || id === 0 || this.#topics.has(id))
      return false;
    const said = messageOf(answer, 10);
    const position = said && { epoch: numberOf(said, 1), sequence: numberOf(said, 2) };
    const begun = {
      names: {
        topic,
        venue: textOf(answer, 6),
        symbol: textOf(answer, 7),
        venueSymbol: textOf(answer, 8),
      },
      owner,
      channel: topic.endsWith("/quotes") ? QUOTES : TRADES,
      reader: new LiteReader(leaveTexts),
      position,
    };
    this.#topics.set(id, begun);
    const notice = continuityNotice(begun.names, position ?? NOWHERE, "new", "subscribed");
    starts.push([owner, notice]);
    return true;
  }
}

/** Numbers of a scale of their own are not of the ordinary. */
function leaveTexts(): never {
  throw new RangeError("numbers that travel as text");
}
