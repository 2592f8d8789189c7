import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadFixtures } from "#test/conformance/venue-fixture.ts";
import { capturePath } from "#test/support/captures.ts";
import { captureOfFixture, makeCapture } from "./cli-capture.ts";
import { killAll, runCli } from "./cli-process.ts";

type Event = Readonly<Record<string, unknown>>;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-normalize-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killAll);

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const eventsOf = (stdout: string): Event[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);

const normalize = async (args: readonly string[], input?: string | Uint8Array) => {
  const result = await runCli(["normalize", ...args], input === undefined ? {} : { input });
  return { ...result, events: eventsOf(result.stdout) };
};

/** What a fixture expects, as far as it is about the market and in the same words. */
const MARKET = ["trade", "quote", "candle", "ticker", "funding", "mark-price", "liquidation"];

describe("prints what the fixtures of the venues expect", () => {
  test.each([
    ["binance", "trades-both-sides"],
    ["binance", "candles"],
    ["binance-usdm", "mark-price-and-funding"],
    ["binance-usdm", "liquidations"],
    ["coinbase", "trades-matches"],
    ["kraken", "trades"],
    ["kraken-v1", "ticker-and-spread"],
  ])("%s %s", async (venue, name) => {
    const found = loadFixtures(venue).find((one) => one.name.replace(/\.json$/, "") === name);
    if (found === undefined) throw new Error(`no fixture ${venue}/${name}`);
    const { fixture } = found;
    const { status, events } = await normalize(["-"], captureOfFixture(venue, fixture));
    expect(status).toBe(0);
    const actual = events
      .filter(({ type }) => MARKET.includes(String(type)))
      .map((event) => {
        const { epoch, sequence, receivedTimeUs, venue: named, ...rest } = event;
        expect(named).toBe(venue);
        for (const number of [epoch, sequence, receivedTimeUs]) {
          expect(Number.isSafeInteger(number)).toBe(true);
        }
        return rest;
      });
    expect(actual).toEqual(fixture.expect.filter(({ type }) => MARKET.includes(type)));
    expect(actual.length).toBeGreaterThan(0);
  });
});

describe("reads a capture", () => {
  const capture = makeCapture({ frames: 40, intervalUs: 1000 });

  test("to the byte the same, from a file, gzipped or plain, and from standard input", async () => {
    const plain = await normalize([write("plain.ndjson", capture)]);
    expect(plain.events).toHaveLength(44);
    const others = await Promise.all([
      normalize([write("capture.gz", gzipSync(capture))]),
      normalize(["-"], capture),
      normalize(["-"], gzipSync(capture)),
    ]);
    for (const other of others) {
      expect(other.status).toBe(0);
      expect(other.stdout).toBe(plain.stdout);
    }
  });

  test("in order of arrival, with sequences from 1 for each topic and one epoch", async () => {
    const { events } = await normalize(["-"], capture);
    const market = events.filter(({ type }) => type !== "status");
    const times = market.map(({ receivedTimeUs }) => Number(receivedTimeUs));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const topics = groupByTopic(events);
    for (const sequences of topics.values()) {
      expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    }
    expect(new Set(events.map(({ epoch }) => epoch)).size).toBe(1);
  });

  test("only the channels that were asked for, with the same positions", async () => {
    const all = await normalize(["-"], capture);
    const trades = await normalize(["-", "--channels", "trades"], capture);
    expect(trades.events).toEqual(all.events.filter(({ type }) => type === "trade"));
    expect(trades.events).toHaveLength(20);
  });

  test("without a header if the venue is named, and not otherwise", async () => {
    const headless = capture.slice(capture.indexOf("\n") + 1);
    const named = await normalize(["-", "--venue", "binance"], headless);
    expect(named.events).toHaveLength(44);
    const unnamed = await normalize(["-"], headless);
    expect(unnamed.status).toBe(1);
    expect(unnamed.stderr).toContain("the capture names no venue; there are binance");
  });

  test("past damaged lines and frames, which are counted", async () => {
    const lines = capture.trimEnd().split("\n");
    const badFrame = JSON.stringify({
      at: 1_760_000_000_100_000,
      kind: "received",
      connection: 1,
      text: '{"stream":"moonusdt@trade","data":{"e":"trade","s":"MOONUSDT","p":"x"',
    });
    lines.splice(10, 0, "{", '{"kind":"nonsense","at":1}', badFrame);
    const { status, events, stderr } = await normalize(["-"], lines.join("\n"));
    expect(status).toBe(1);
    expect(events).toHaveLength(44);
    expect(stderr).toMatch(/^damaged lines: +2$/m);
    expect(stderr).toContain("2 lines of the capture could not be read");
    expect(stderr).toMatch(/^rejected: +1 \(bad-json 1\)$/m);
  });

  test("to the last whole line of a file that was cut", async () => {
    const whole = gzipSync(makeCapture({ frames: 4000, intervalUs: 1000 }));
    const cut = write("cut.gz", whole.subarray(0, Math.floor(whole.length / 2)));
    const { status, events, stderr } = await normalize([cut]);
    expect(status).toBe(1);
    expect(events.length).toBeGreaterThan(100);
    expect(stderr).toMatch(/^damaged lines: +[12]$/m);
  });

  test("and ends with a summary that counts what was printed", async () => {
    const { stderr, events } = await normalize(["-"], capture);
    const count = (type: string) => events.filter((event) => event["type"] === type).length;
    expect(stderr).toMatch(/^frames: +40$/m);
    expect(stderr).toMatch(/^events: +44 \(/m);
    for (const type of ["trade", "quote", "status"])
      expect(stderr).toContain(`${type} ${count(type)}`);
    for (const line of [/^gaps: +0$/m, /^resyncs: +0$/m, /^checksums: +0 passed, 0 failed$/m]) {
      expect(stderr).toMatch(line);
    }
    expect(stderr).toMatch(/^speed: +\d+ frames\/s/m);
  });

  test("of nothing is an error", async () => {
    const { status, stderr } = await normalize(["-"], "");
    expect(status).toBe(1);
    expect(stderr).toContain("no lines");
  });
});

test("exact decimals survive: finer and larger than a double", async () => {
  const frame = (id: number, p: string, q: string) => ({
    stream: "moonusdt@trade",
    data: { e: "trade", E: 1, s: "MOONUSDT", t: id, p, q, T: 1_760_000_000_000, m: true, M: true },
  });
  const frames = [
    frame(1, "0.0000001117", "1127313210.00855204"),
    frame(2, "90071992547409931.123456789", "0.000000000000000001"),
  ];
  const { events } = await normalize(
    ["-"],
    captureOfFixture("binance", { description: "", frames, expect: [] }),
  );
  const trades = events.filter(({ type }) => type === "trade");
  expect(trades.map(({ price, size }) => [price, size])).toEqual([
    ["0.0000001117", "1127313210.00855204"],
    ["90071992547409931.123456789", "0.000000000000000001"],
  ]);
});

/** Frames a second that must be reached anywhere, far below what a machine of today does. */
const FRAMES_PER_SECOND_MIN = 5_000;

test("a real capture of 94,000 frames: no gap, nothing rejected", async () => {
  const path = capturePath("binance-usdm-btcusdt-345s");
  if (path === undefined) return;
  const { status, stdout, stderr } = await runCli(["normalize", path]);
  expect(status).toBe(0);
  expect(stdout.match(/\n/g)).toHaveLength(93_954);
  expect(stderr).toMatch(/^frames: +93953$/m);
  for (const line of [/^gaps: +0$/m, /^resyncs: +0$/m, /^rejected: +0$/m])
    expect(stderr).toMatch(line);
  const speed = Number(/^speed: +(\d+)/m.exec(stderr)?.[1]);
  expect(speed).toBeGreaterThan(FRAMES_PER_SECOND_MIN);
});

function groupByTopic(events: readonly Event[]): Map<string, number[]> {
  const topics = new Map<string, number[]>();
  for (const { symbol, type, sequence } of events) {
    const topic = `${String(symbol)}/${String(type)}`;
    topics.set(topic, [...(topics.get(topic) ?? []), Number(sequence)]);
  }
  return topics;
}
