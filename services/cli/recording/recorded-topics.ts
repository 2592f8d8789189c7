import type { Client, Instrument as ClientInstrument, StreamEvent } from "@tickwire/client";
import type { Instrument } from "#core/instrument.ts";
import { MARKET_SYMBOL, marketOf } from "#core/instrument.ts";
import { parseTopic, type Topic } from "#core/topic.ts";
import type { RecordedTopic } from "#recording/format/entry.ts";
import type { RecordingWriter } from "#recording/writing/recording-writer.ts";
import { rowOfClientEvent } from "../output/client-event.ts";

/** Events that wait for their instrument; beyond it, instruments are recorded as unknown. */
const WAITING_EVENTS_MAX = 20_000;

/** The longest that an instrument is waited for. */
const INSTRUMENT_MS_MAX = 5_000;

type Waiting = { readonly topic: Topic; readonly events: StreamEvent[] };

/**
 * Hands what a client receives to a recording, each topic with what the gateway knows of its
 * instrument. Topics may come at any time, as those of instruments that are listed later do.
 */
export class RecordedTopics {
  readonly #client: Client;
  readonly #writer: RecordingWriter;
  readonly #topics = new Map<string, RecordedTopic>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #instruments = new Map<string, ClientInstrument>();
  #waitingEvents = 0;

  constructor(client: Client, writer: RecordingWriter) {
    this.#client = client;
    this.#writer = writer;
  }

  /** Asks for all instruments of a venue at once; `*` is of every venue. */
  async learn(venue: string): Promise<void> {
    let pageToken: string | undefined;
    do {
      const request = { ...(venue === "*" ? {} : { venue }), ...(pageToken && { pageToken }) };
      const page = await this.#client.rpc.listInstruments(request);
      for (const instrument of page.instruments) {
        this.#instruments.set(`${instrument.venue}:${instrument.symbol}`, instrument);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  /** Takes the next event or notice. */
  take(event: StreamEvent): void {
    // A lag is over again or becomes a gap; a topic that was refused has nothing.
    if (event.type === "lag" || event.type === "conflation" || event.type === "refused") return;
    const topic = this.#topics.get(event.topic);
    if (topic !== undefined) {
      this.#record(topic, event);
      return;
    }
    const waiting = this.#waiting.get(event.topic) ?? this.#begin(event.topic);
    if (waiting === undefined) {
      this.take(event);
      return;
    }
    waiting.events.push(event);
    this.#waitingEvents += 1;
    if (this.#waitingEvents > WAITING_EVENTS_MAX) {
      for (const name of this.#waiting.keys()) this.#settle(name, undefined);
    }
  }

  /** Gives up what is still being asked for. To be called before the recording is closed. */
  close(): void {
    for (const name of this.#waiting.keys()) this.#settle(name, undefined);
  }

  /** Undefined if the topic is known from here on. */
  #begin(name: string): Waiting | undefined {
    const topic = parseTopic(name) as Topic;
    const { venue, symbol } = topic;
    const known = this.#instruments.get(`${venue}:${symbol}`);
    if (known !== undefined || symbol === MARKET_SYMBOL) {
      this.#topics.set(name, recordedTopic(topic, known));
      return undefined;
    }
    const waiting = { topic, events: [] };
    this.#waiting.set(name, waiting);
    const options = { timeoutMs: INSTRUMENT_MS_MAX };
    // Without an answer the topic is recorded with what its name says.
    this.#client.rpc.getInstrument({ venue, symbol }, options).then(
      ({ instrument }) => this.#settle(name, instrument),
      () => this.#settle(name, undefined),
    );
    return waiting;
  }

  #settle(name: string, instrument: ClientInstrument | undefined): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    this.#waiting.delete(name);
    this.#waitingEvents -= waiting.events.length;
    const topic = recordedTopic(waiting.topic, instrument);
    this.#topics.set(name, topic);
    for (const event of waiting.events) this.#record(topic, event);
  }

  #record(topic: RecordedTopic, event: StreamEvent): void {
    switch (event.type) {
      case "lag":
      case "conflation":
      case "refused":
        return;
      case "gap": {
        const { epoch, missingFirst, missingLast, reason } = event;
        this.#writer.notice(topic, { kind: "gap", epoch, missingFirst, missingLast, reason });
        return;
      }
      case "continuity": {
        const { continuity, outcome, epoch, sequence, reason } = event;
        const notice = { continuity, outcome, epoch, sequence, reason };
        this.#writer.notice(topic, { kind: "continuity", ...notice });
        return;
      }
      case "trade":
      case "quote":
      case "book":
      case "candle":
      case "ticker":
      case "funding":
      case "mark-price":
      case "open-interest":
      case "liquidation":
      case "status":
      case "listing": {
        const { epoch, sequence, initial, publishedTimeUs } = event;
        const { row } = rowOfClientEvent(event);
        this.#writer.event(topic, { row, epoch, sequence, initial, publishedTimeUs });
      }
    }
  }
}

function recordedTopic(topic: Topic, known: ClientInstrument | undefined): RecordedTopic {
  const candleIntervalsMs = known?.candleIntervalsMs ?? [];
  return { ...topic, instrument: instrumentOf(topic, known), candleIntervalsMs };
}

/** Of an instrument that nobody knows what its symbol says. */
function instrumentOf({ venue, symbol }: Topic, known: ClientInstrument | undefined): Instrument {
  if (known === undefined) return { ...marketOf(venue), symbol, venueSymbol: symbol };
  const { venueSymbol, kind = "spot", base, quote, settle = quote, inverse } = known;
  const optional = {
    venueMarket: known.venueMarket,
    contractSize: known.contractSizeText,
    sizeUnit: known.sizeUnit,
    priceIncrement: known.priceIncrementText,
    sizeIncrement: known.sizeIncrementText,
    expiryTimeUs: known.expiryTimeUs,
    strike: known.strikeText,
    optionType: known.optionType,
    state: known.state,
    stateWord: known.stateWord,
  };
  const said = Object.entries(optional).filter(([, value]) => value !== undefined);
  const names = { venue, symbol, venueSymbol, kind, base, quote, settle, inverse };
  return { ...names, ...(Object.fromEntries(said) as Partial<Instrument>) };
}
