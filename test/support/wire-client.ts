import {
  BatchReader,
  WireError,
  elementLength,
  putElement,
  rowsOf,
  topicIdOf,
  walkServerFrame,
} from "@tickwire/proto/codec";
import type { BusBatch, DecodedBatch } from "@tickwire/proto/codec";
import { bookChecksum, OrderBook } from "@tickwire/proto/model";
import { tickwire } from "@tickwire/proto/protobufjs";
import { plainEvent } from "./wire-events.ts";
import { checksumReading, WireLevels } from "./wire-levels.ts";
import { MalformedBatch, ReferenceTopic } from "./wire-reference.ts";
import type { PlainMessage, PlainReading } from "./wire-reference.ts";
import type { WireDecoder } from "./wire-schema.ts";

const { ServerMessage } = tickwire.v1;

/** Reads frames as a client that starts with nothing; the readings are those of proto/vectors. */
export type WireClient = {
  frame(frame: Uint8Array): readonly PlainReading[];
  resume(position: Resume): void;
};
export type Resume = {
  readonly topicId: number;
  readonly epoch: number;
  readonly sequence: number;
};

/** A batch as a client finds it in a frame: the content of an element of topic 5. */
export function batchInFrame(batch: BusBatch, withBase: boolean): Uint8Array {
  const frame = new Uint8Array(elementLength(batch, 5, withBase));
  const length = putElement(frame, 0, batch, { topicId: 5, withBase });
  let content = frame.subarray(0, 0);
  walkServerFrame(frame.subarray(0, length), {
    message: () => undefined,
    batch: (start, end) => {
      content = frame.subarray(start, end);
    },
  });
  return content;
}

const MALFORMED: PlainReading = { reading: "malformed" };

/** On what another library decodes. */
export class ReferenceClient implements WireClient {
  readonly #decode: WireDecoder;
  readonly #topics = new Map<number, ReferenceTopic>();
  readonly #levels = new Map<number, WireLevels>();

  constructor(decode: WireDecoder) {
    this.#decode = decode;
  }

  #topic(id: number): ReferenceTopic {
    const topic = this.#topics.get(id) ?? new ReferenceTopic();
    this.#topics.set(id, topic);
    return topic;
  }

  resume({ topicId, epoch, sequence }: Resume): void {
    this.#topic(topicId).position = { epoch: BigInt(epoch), sequence: BigInt(sequence) };
  }

  frame(bytes: Uint8Array): readonly PlainReading[] {
    let batches: readonly PlainMessage[];
    let messages: readonly PlainMessage[];
    try {
      const frame = this.#decode("tickwire.v1.ServerFrame", bytes);
      batches = frame["batches"] as PlainMessage[];
      messages = frame["messages"] as PlainMessage[];
    } catch {
      return [MALFORMED];
    }
    const checksums = messages.flatMap((message) => {
      const said = message["book_checksum"] as PlainMessage | undefined;
      return said === undefined ? [] : [this.#compare(said)];
    });
    const readings = batches.map((batch) => {
      const topicId = batch["topic_id"] as number;
      const topic = this.#topic(topicId);
      try {
        const reading = topic.read(batch, topicId);
        const events = (reading["events"] ?? []) as readonly object[];
        for (const event of events) this.#levelsOf(topicId).take(event);
        return reading;
      } catch (error) {
        if (!(error instanceof MalformedBatch)) throw error;
        topic.forget();
        return MALFORMED;
      }
    });
    return [...checksums, ...readings];
  }

  #levelsOf(id: number): WireLevels {
    const levels = this.#levels.get(id) ?? new WireLevels();
    this.#levels.set(id, levels);
    return levels;
  }

  #compare(message: PlainMessage): PlainReading {
    const [topicId, epoch] = [Number(message["topic_id"]), Number(message["epoch"])];
    const [sequence, crc32] = [Number(message["sequence"]), Number(message["crc32"])];
    const { position } = this.#topic(topicId);
    const isHere = position?.epoch === BigInt(epoch) && position.sequence === BigInt(sequence);
    const { checksum } = this.#levelsOf(topicId);
    return checksumReading({ topicId, epoch, sequence, crc32 }, isHere, checksum);
  }
}

type Topic = {
  readonly reader: BatchReader;
  readonly book: OrderBook;
  position: { readonly epoch: number; readonly sequence: number } | undefined;
};

/** On our reader. */
export class ChainClient implements WireClient {
  readonly #topics = new Map<number, Topic>();

  #topic(id: number): Topic {
    const topic = this.#topics.get(id) ?? {
      reader: new BatchReader(),
      book: new OrderBook(),
      position: undefined,
    };
    this.#topics.set(id, topic);
    return topic;
  }

  resume({ topicId, epoch, sequence }: Resume): void {
    this.#topic(topicId).position = { epoch, sequence };
  }

  frame(bytes: Uint8Array): readonly PlainReading[] {
    const readings: PlainReading[] = [];
    const visitor = {
      message: (start: number, end: number): void => {
        const said = ServerMessage.decode(bytes.subarray(start, end)).bookChecksum;
        if (said !== null && said !== undefined) readings.push(this.#compare(said));
      },
      batch: (start: number, end: number): void => {
        readings.push(this.#batch(bytes, start, end));
      },
    };
    try {
      walkServerFrame(bytes, visitor);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      readings.push(MALFORMED);
    }
    return readings;
  }

  #compare(said: tickwire.v1.IBookChecksum): PlainReading {
    const topicId = Number(said.topicId);
    const [epoch, sequence, crc32] = [said.epoch, said.sequence, said.crc32].map(Number) as [
      number,
      number,
      number,
    ];
    const { position, book } = this.#topic(topicId);
    const isHere = position?.epoch === epoch && position.sequence === sequence;
    const { priceScale, sizeScale } = book;
    const sides = { bids: book.bids(), asks: book.asks() };
    const checksum = bookChecksum({ priceScale, sizeScale, ...sides });
    return checksumReading({ topicId, epoch, sequence, crc32 }, isHere, checksum);
  }

  #batch(bytes: Uint8Array, start: number, end: number): PlainReading {
    try {
      const topicId = topicIdOf(bytes, start, end);
      const topic = this.#topic(topicId);
      const reading = topic.reader.read(bytes, start, end);
      if (reading.outcome === "lost") return { topicId, reading: "lost" };
      if (reading.outcome === "read") return place(topic, reading.batch);
      const { epoch, lastSequence: sequence } = reading;
      topic.position = { epoch, sequence };
      return { topicId, reading: "unknown", epoch, sequence };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return MALFORMED;
    }
  }
}

function place(topic: Topic, batch: DecodedBatch): PlainReading {
  const { topicId, epoch, firstSequence, skipped, count, publishedTimeUs, snapshot } = batch;
  const { position } = topic;
  const isSame = position?.epoch === epoch;
  keepLevels(topic, batch);
  const events = rowsOf(batch).rows.map((row, index) => ({
    sequence: snapshot ? firstSequence : firstSequence + index,
    ...plainEvent(row),
  }));
  if (snapshot) {
    if (isSame && firstSequence < position.sequence) return { topicId, reading: "old" };
    topic.position = { epoch, sequence: firstSequence };
    return { topicId, reading: "state", epoch, sequence: firstSequence, publishedTimeUs, events };
  }
  const before = firstSequence - 1 - skipped;
  const sequence = firstSequence - 1 + count;
  if (isSame && sequence <= position.sequence && count > 0) return { topicId, reading: "old" };
  const from = isSame ? position.sequence : -1;
  topic.position = { epoch, sequence: Math.max(sequence, from) };
  return {
    topicId,
    reading: "news",
    epoch,
    sequence,
    publishedTimeUs,
    ...(skipped === 0 ? {} : { skipped }),
    ...(position !== undefined && !isSame ? { gap: "unknown" } : {}),
    ...(isSame && before > from ? { gap: [from + 1, before] } : {}),
    events: events.filter((event) => event.sequence > from),
  };
}

/** Events that are here already change nothing. */
function keepLevels({ book, position }: Topic, batch: DecodedBatch): void {
  const { kind, rows } = rowsOf(batch);
  if (kind !== "books") return;
  const from = position?.epoch === batch.epoch ? position.sequence : -1;
  for (const [index, row] of rows.entries()) {
    const sequence = batch.snapshot ? batch.firstSequence : batch.firstSequence + index;
    if (batch.snapshot ? sequence < from : sequence <= from) continue;
    if (row.snapshot) book.applySnapshot(row);
    else book.applyDelta(row);
  }
}
