import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow, QuoteRow, TradeRow } from "@tickwire/proto/codec";
import { marketOf } from "#core/instrument.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { RecordedEntry, RecordedTopic } from "#recording/format/entry.ts";
import { Recording } from "#recording/reading/recording.ts";
import type { RecordingFolder } from "#recording/writing/recording-folder.ts";
import { openRecordingFolder } from "#recording/writing/recording-folder.ts";
import { RecordingWriter } from "#recording/writing/recording-writer.ts";
import type { IncomingEvent } from "#recording/writing/topic-recorder.ts";
import { ManualClock } from "./manual-clock.ts";

export const BTC: Instrument = {
  ...marketOf("simulated"),
  symbol: "BTC-USD",
  venueSymbol: "BTCUSD",
  base: "BTC",
  quote: "USD",
  settle: "USD",
  priceIncrement: "0.01",
};

export function topicOf(channel: Channel, instrument = BTC): RecordedTopic {
  const { venue, symbol } = instrument;
  return { venue, symbol, channel, instrument, candleIntervalsMs: [60_000] };
}

/** A trade that its price tells from all others. */
export function tradeRow(cents: number): TradeRow {
  return {
    venueTimeUs: 1_700_000_000_000_000 + cents,
    receivedTimeUs: 1_700_000_000_000_500 + cents,
    priceMantissa: cents,
    priceScale: 2,
    sizeMantissa: 15,
    sizeScale: 1,
    aggressorSide: "buyer",
    tradeId: `t${cents}`,
    historical: false,
  };
}

export function quoteRow(cents: number): QuoteRow {
  return {
    venueTimeUs: undefined,
    receivedTimeUs: 1_700_000_000_000_500 + cents,
    priceScale: 2,
    sizeScale: 0,
    bidPriceMantissa: cents,
    bidSizeMantissa: 3,
    askPriceMantissa: cents + 1,
    askSizeMantissa: 4,
  };
}

/** A book or a change of one, with these bids as [cents, size]. */
export function bookRow(snapshot: boolean, bids: readonly (readonly [number, number])[]): BookRow {
  return {
    venueTimeUs: undefined,
    receivedTimeUs: 1_700_000_000_000_500,
    snapshot,
    priceScale: 2,
    sizeScale: 0,
    bids: { prices: bids.map(([cents]) => cents), sizes: bids.map(([, size]) => size) },
    asks: { prices: snapshot ? [100_000] : [], sizes: snapshot ? [1] : [] },
  };
}

export function news(
  row: IncomingEvent["row"],
  sequence: number,
  more: Partial<IncomingEvent> = {},
): IncomingEvent {
  return {
    row,
    epoch: 5,
    sequence,
    initial: false,
    publishedTimeUs: 1_700_000_000_001_000,
    ...more,
  };
}

type RecordingOptions = Parameters<typeof RecordingWriter.open>[0];
type LimitChanges = Partial<RecordingOptions["limits"]>;

/** A recording in a folder of its own, on a clock that the test moves. */
export class RecordedMarket {
  readonly clock = new ManualClock();
  readonly path = mkdtempSync(join(tmpdir(), "tickwire-recording-"));
  readonly failures: (string | undefined)[] = [];
  #turn: (() => void)[] = [];

  async open(
    limits: LimitChanges = {},
    wrap = (folder: RecordingFolder): RecordingFolder => folder,
  ): Promise<RecordingWriter> {
    return RecordingWriter.open({
      run: { id: "run-1", startedTimeUs: this.clock.nowUs(), program: "test", source: "test" },
      folder: wrap(await openRecordingFolder(this.path)),
      clock: this.clock,
      schedule: (callback) => this.#turn.push(callback),
      limits: {
        compression: "gzip",
        fileBytesMax: 1e9,
        fileMsMax: 1e9,
        keptBytesMax: Infinity,
        keptMsMax: Infinity,
        flushIntervalMs: 1e9,
        waitingBytesMax: 1e9,
        ...limits,
      },
      onFailure: (failure) => this.failures.push(failure?.code),
    });
  }

  /** The turn of the event loop ends. */
  endTurn(): void {
    for (const callback of this.#turn.splice(0)) callback();
  }

  async read(range = {}): Promise<{ entries: RecordedEntry[]; recording: Recording }> {
    const recording = await Recording.open(this.path);
    const entries: RecordedEntry[] = [];
    for await (const some of recording.entries(range)) entries.push(...some);
    return { entries, recording };
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** What an entry says, in a form that is compared. */
export function told(entry: RecordedEntry): unknown {
  if (entry.kind === "notice") return entry.notice;
  const batch = readBusBatch(entry.bytes);
  const events = readBusEvents(batch);
  const { rows } = rowsOf(events);
  const { channel } = entry.topic;
  return { channel, held: entry.held, epoch: batch.epoch, first: events.firstSequence, rows };
}

/** The trades of a recording by their prices in cents. */
export function centsOf(entries: readonly RecordedEntry[]): number[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "events" || entry.topic.channel !== "trades") return [];
    const { rows } = rowsOf(readBusEvents(readBusBatch(entry.bytes)));
    return (rows as readonly TradeRow[]).map(({ priceMantissa }) => Number(priceMantissa));
  });
}
