import { gunzipSync } from "node:zlib";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { mutantOf, textMutantOf } from "./json-mutants.ts";
import { createPrng, type Prng } from "./prng.ts";

/** What one frame came to on either way. */
export type Outcome = {
  readonly frame: string;
  /** True if the scanner took it. */
  readonly isScanned: boolean;
  /** The events of the decoder that scans, and of the one that reads all of JSON. */
  readonly scanned: readonly string[];
  readonly decoded: readonly string[];
};

/** Two decoders of one connection, of which one scans what it can and the other never does. */
export class ScanOracle {
  readonly #catalog: InstrumentCatalog;
  readonly #scanning: FeedDecoder;
  readonly #general: FeedDecoder;
  #receivedTimeUs = 1_700_000_000_000_000;

  /** `url` is where the connection is made to, where that says what its symbols are. */
  constructor(adapter: FeedAdapter, url?: string) {
    this.#catalog = new InstrumentCatalog({
      venue: adapter.venue,
      instrumentsMax: 10_000,
      derive: (venueSymbol, venueMarket) => adapter.deriveInstrument(venueSymbol, venueMarket),
    });
    const context = {
      catalog: this.#catalog,
      bookDepth: 1_000,
      ...(url === undefined ? {} : { url }),
    };
    this.#scanning = adapter.createDecoder(context);
    this.#general = adapter.createDecoder(context);
  }

  get catalog(): InstrumentCatalog {
    return this.#catalog;
  }

  /** Gives a frame that the venue's client sent to both. */
  sent(frame: string): void {
    this.#scanning.sent?.(frame);
    this.#general.sent?.(frame);
  }

  /** Gives a frame to both. */
  take(frame: string): Outcome {
    this.#receivedTimeUs += 1_000;
    const at = this.#receivedTimeUs;
    const scanned: string[] = [];
    const decoded: string[] = [];
    const note = noteIn(scanned);
    const bytes = Buffer.from(frame);
    const isScanned = this.#scanning.scan?.(bytes, at, note, (tick) => note(tick.event())) === true;
    if (!isScanned) {
      if (scanned.length > 0) throw new Error(`events of a frame that was not taken: ${frame}`);
      this.#scanning.decode(frame, at, noteIn(scanned));
    }
    this.#general.decode(frame, at, noteIn(decoded));
    return { frame, isScanned, scanned, decoded };
  }
}

/** The texts of a capture's frames, and what its client sent, in order. */
export async function recordedTexts(
  adapter: FeedAdapter,
  path: string,
  options: { readonly oracle: ScanOracle; readonly framesMax: number },
): Promise<readonly string[]> {
  const frames: string[] = [];
  for await (const line of readCapture(path)) {
    if (frames.length >= options.framesMax) break;
    if (line.kind === "sent") options.oracle.sent(line.text);
    if (line.kind === "received") frames.push(textOfRecorded(line.frame));
    if (line.kind !== "http" || adapter.recordedRequest(line.url)?.kind !== "instruments") continue;
    options.oracle.catalog.add(adapter.parseInstruments(line.body, line.url)?.instruments ?? []);
  }
  return frames;
}

function textOfRecorded(frame: string | Uint8Array): string {
  return typeof frame === "string" ? frame : gunzipSync(frame).toString("utf8");
}

/** Every field of an event, also of those that have no value, as text. */
function noteIn(notes: string[]): (event: FeedEvent) => void {
  return (event) => {
    notes.push(
      JSON.stringify(event, (key, value: unknown) => {
        if (key === "instrument") return (value as { venueSymbol: string }).venueSymbol;
        if (typeof value === "bigint") return `${value}n`;
        if (value === undefined) return "undefined";
        if (typeof value === "number" && !Number.isFinite(value)) return String(value);
        return Object.is(value, -0) ? "-0" : value;
      }),
    );
  };
}

/** A frame that is damaged, or that says the same in another way. */
function altered(frame: string, others: readonly string[], prng: Prng): string {
  switch (prng.below(8)) {
    case 0:
      return frame.slice(0, prng.below(frame.length)) + prng.pick(["}", "]", "}}", "}]}"]);
    case 1: {
      const at = prng.below(frame.length);
      return frame.slice(0, at) + String.fromCharCode(prng.below(128)) + frame.slice(at + 1);
    }
    case 2: {
      const at = prng.below(frame.length);
      return frame.slice(0, at) + frame.slice(at + 1);
    }
    case 3:
      return textMutantOf(frame, prng);
    case 4:
      return rewritten(frame, prng);
    case 5:
      return withNumber(frame, prng);
    default:
      return jsonMutant(frame, others, prng);
  }
}

function jsonMutant(frame: string, others: readonly string[], prng: Prng): string {
  try {
    const other = JSON.parse(prng.pick(others)) as unknown;
    return JSON.stringify(mutantOf(JSON.parse(frame), [other], prng)) ?? "null";
  } catch {
    return `${frame}}`;
  }
}

/** Spaces, escapes, members in another order or twice. */
function rewritten(frame: string, prng: Prng): string {
  const at = prng.below(frame.length);
  switch (prng.below(4)) {
    case 0:
      return `${frame.slice(0, at)}${prng.pick([" ", "\n", "\t"])}${frame.slice(at)}`;
    case 1: {
      const code = frame.charCodeAt(at).toString(16).padStart(4, "0");
      return `${frame.slice(0, at)}\\u${code}${frame.slice(at + 1)}`;
    }
    case 2: {
      const members = [...frame.matchAll(/"[^"]+":(?:"[^"]*"|[-\d.]+|true|false)/g)];
      if (members.length < 2) return frame;
      const [one, other] = [prng.pick(members)[0], prng.pick(members)[0]];
      return frame.replace(one, () => `${one},${other}`);
    }
    default: {
      const members = [...frame.matchAll(/"[^"]+":(?:"[^"]*"|[-\d.]+|true|false)/g)];
      if (members.length < 2) return frame;
      const [one, other] = [prng.pick(members)[0], prng.pick(members)[0]];
      return frame
        .replace(one, "\u0001")
        .replace(other, () => one)
        .replace("\u0001", () => other);
    }
  }
}

const NUMBERS = [
  ..."0 0.0 -0 -1 00 01.5 1. .5 1.50 1.500000000000000000 0.00000000000000000001".split(" "),
  ..."123456789 1234567890 123456789012345 1234567890123456 9007199254740993".split(" "),
  ..."999999999.999999999 0.0000000001 1e5 1E-5 2.5e+3 1e999 61800.123456789012".split(" "),
  ..."4294967296 4294967295 2147483648 0.1 10.123456789 1.0000000000".split(" "),
];

/** Another number in the place of one. */
function withNumber(frame: string, prng: Prng): string {
  const numbers = [...frame.matchAll(/\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return frame;
  const { index, 0: number } = prng.pick(numbers);
  return frame.slice(0, index) + prng.pick(NUMBERS) + frame.slice(index + number.length);
}

/** Frames altered once each, by a seed. */
export function* alteredFrames(
  frames: readonly string[],
  options: { readonly count: number; readonly seed: number },
): Iterable<string> {
  const prng = createPrng(options.seed);
  for (let index = 0; index < options.count; index += 1) {
    yield altered(prng.pick(frames), frames, prng);
  }
}
