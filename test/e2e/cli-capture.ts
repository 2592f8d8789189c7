import type { VenueFixture } from "#test/conformance/venue-fixture.ts";

/** When the first frame of a made capture arrives, microseconds since 1970. */
const START_US = 1_760_000_000_000_000;
const URL = "wss://stream.example.test";

type Line = Readonly<Record<string, unknown>>;

const toText = (lines: readonly Line[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

const header = (venue: string): Line => ({ capture: 1, venue, source: "made by a test" });

const opened = (at: number): Line => ({ at, kind: "open", connection: 1, url: URL });

function received(at: number, frame: unknown): Line {
  const text = typeof frame === "string" ? frame : JSON.stringify(frame);
  return { at, kind: "received", connection: 1, text };
}

/** A capture of what a fixture says that the venue sends, received just after it happened. */
export function captureOfFixture(venue: string, fixture: VenueFixture): string {
  const times = fixture.expect.map(({ venueTimeUs }) => Number(venueTimeUs ?? 0));
  const startUs = Math.max(...times, START_US);
  const frames = fixture.frames.map((frame, index) =>
    received(startUs + 1000 * (index + 1), frame),
  );
  return toText([header(venue), opened(startUs), ...frames]);
}

/**
 * A capture in Binance's documented form: trades and best prices of two instruments in turn, one
 * frame every `intervalUs`. Prices rise by one step each, so that every event is different.
 */
export function makeCapture(options: {
  readonly frames: number;
  readonly intervalUs: number;
}): string {
  const frames = Array.from({ length: options.frames }, (_, index) => {
    const symbol = index % 4 < 2 ? "MOONUSDT" : "SUNUSDT";
    const at = START_US + (index + 1) * options.intervalUs;
    const data = index % 2 === 0 ? tradeOf(symbol, index, at) : quoteOf(symbol, index);
    const stream = index % 2 === 0 ? "trade" : "bookTicker";
    return received(at, { stream: `${symbol.toLowerCase()}@${stream}`, data });
  });
  return toText([header("binance"), opened(START_US), ...frames]);
}

/** A capture of trades of the simulated venue, one a millisecond. */
export function makeSimulatedCapture(frames: number): string {
  const trades = Array.from({ length: frames }, (_, index) => {
    const at = START_US + (index + 1) * 1000;
    const trade = { p: `95000.${10 + index}`, q: "0.5", side: "buy", t: at };
    return received(at, { e: "trade", s: "BTC-USD", id: String(index + 1), ...trade });
  });
  return toText([header("simulated"), opened(START_US), ...trades]);
}

function tradeOf(symbol: string, index: number, atUs: number): Line {
  const timeMs = Math.floor(atUs / 1000);
  const price = (1 + index / 10_000).toFixed(8);
  const side = { m: index % 8 < 4, M: true };
  return {
    e: "trade",
    E: timeMs,
    s: symbol,
    t: index,
    p: price,
    q: "1.50000000",
    T: timeMs,
    ...side,
  };
}

function quoteOf(symbol: string, index: number): Line {
  const bid = (1 + index / 10_000).toFixed(8);
  const ask = (1.0001 + index / 10_000).toFixed(8);
  return { u: index, s: symbol, b: bid, B: "10.00000000", a: ask, A: "20.00000000" };
}
