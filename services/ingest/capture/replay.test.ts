import { readBusBatch, readBusEvents } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { FakeAdapterOptions } from "#test/support/fake-feed.ts";
import {
  bookFrame,
  createFakeAdapter,
  openInterestFrame,
  quoteFrame,
  tradeFrame,
} from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { CaptureLine } from "./capture-format.ts";
import type { ReplayOptions } from "./replay-options.ts";
import { replayCapture, startReplay } from "./replay.ts";

const START_US = 1_600_000_000_000_000;
const URL_A = "fake://stream";

/** Lines at one second after each other, unless they say otherwise. */
function lines(...given: readonly Record<string, unknown>[]): CaptureLine[] {
  const timed = given.map((line, index) => ({
    atUs: START_US + index * 1e6,
    connection: 1,
    ...line,
  }));
  return [{ kind: "header", venue: "fake", source: "test" }, ...(timed as CaptureLine[])];
}

const open = { kind: "open", url: URL_A };
const received = (frame: string, connection = 1) => ({ kind: "received", frame, connection });
const rest = (symbol: string, last: number) => ({
  kind: "http",
  method: "GET",
  url: `fake://rest/book/${symbol}`,
  status: 200,
  body: bookFrame(symbol, {
    last,
    snapshot: true,
    source: "rest",
  }),
});

async function* from(source: readonly CaptureLine[]): AsyncGenerator<CaptureLine> {
  yield* source;
}

async function play(
  source: readonly CaptureLine[],
  options: Partial<ReplayOptions> & { readonly adapter?: FakeAdapterOptions } = {},
) {
  const events: MarketEvent[] = [];
  const { adapter, ...rest_ } = options;
  const summary = await replayCapture({
    source: from(source),
    resolveAdapter: (venue) => (venue === "fake" ? createFakeAdapter(adapter) : undefined),
    speed: "max",
    clock: new ManualClock(),
    onEvent: ({ event }) => events.push(event),
    ...rest_,
  });
  const said = events.map((event) =>
    event.kind === "status" ? `${event.channel} ${event.state} ${event.reason}` : event.kind,
  );
  return { summary, events, said };
}

describe("a replay", () => {
  test("gives events the time of the recording", async () => {
    const { events } = await play(lines(open, received(tradeFrame("A", "1"))));
    const trade = events.find(({ kind }) => kind === "trade");
    expect(trade?.receivedTimeUs).toBe(START_US + 1_000_000);
  });

  test("answers the book's own request with the snapshot that was recorded later", async () => {
    const { said, summary } = await play(
      lines(
        open,
        received(bookFrame("A", { first: 5, last: 6 })),
        rest("A", 6),
        received(bookFrame("A", { first: 7, last: 7 })),
      ),
    );
    expect(said.filter((text) => text !== "book live data")).toEqual([
      "book syncing start",
      "book",
      "book live synchronized",
      "book",
    ]);
    expect(summary).toMatchObject({ gaps: 0, resyncs: 0, frames: 2 });
  });

  test.each([
    ["before the first delta", [open, rest("A", 6)]],
    ["before the connection", [rest("A", 6), open]],
  ])("uses a snapshot that was recorded %s", async (_, head) => {
    const { said } = await play(lines(...head, received(bookFrame("A", { first: 7, last: 7 }))));
    expect(said).toContain("book live synchronized");
  });

  test("resumes the session of a connection that was lost and reopened", async () => {
    const { said, summary } = await play(
      lines(
        open,
        received(tradeFrame("A", "1")),
        { kind: "close", code: 1006 },
        { kind: "open", url: URL_A, connection: 2 },
        received(tradeFrame("A", "1", true), 2),
        received(tradeFrame("A", "2"), 2),
      ),
    );
    expect(said).toEqual([
      "trades live data",
      "trade",
      "trades down disconnected",
      "trades syncing subscribing",
      "trades gap reconnected",
      "trades live subscribed",
      "trade",
    ]);
    expect(summary.duplicateTrades).toBe(1);
  });

  test("resumes it too where each connection has an address of its own", async () => {
    const handedOut = (id: number) => ({
      kind: "open",
      url: `fake://given/endpoint?token=TOKEN&id=${id}`,
      connection: id,
    });
    const connect = { kind: "http", url: "fake://rest/connect", status: 200, body: "fake://given" };
    const { said, summary } = await play(
      lines(
        connect,
        handedOut(1),
        received(tradeFrame("A", "1")),
        { kind: "close", code: 1006 },
        connect,
        handedOut(2),
        received(tradeFrame("A", "2"), 2),
      ),
      { adapter: { handsOutAddresses: true, greets: true, fillsTrades: true } },
    );
    expect(said.slice(-3)).toEqual(["trades gap reconnected", "trades live subscribed", "trade"]);
    expect(summary.rejected).toEqual({});
  });

  test("takes a snapshot that the recording's client asked for on the connection", async () => {
    const { said, summary } = await play(
      lines(
        open,
        received(bookFrame("A", { first: 5, last: 6 })),
        received(bookFrame("A", { last: 6, snapshot: true, source: "rest" })),
        received(bookFrame("A", { first: 7, last: 7 })),
      ),
      { adapter: { snapshot: "request" } },
    );
    expect(said).toContain("book live synchronized");
    expect(summary).toMatchObject({ gaps: 0, events: { book: 2 } });
  });

  test("passes on what a REST answer tells of other channels, trades as history", async () => {
    const answer = (body: string, status = 200) => ({
      kind: "http",
      url: "fake://rest/open-interest",
      status,
      body,
    });
    const { events, said, summary } = await play(
      lines(
        answer(openInterestFrame("A")),
        open,
        received(tradeFrame("A", "3")),
        answer([tradeFrame("A", "2"), tradeFrame("A", "3")].join("\n")),
        answer("nothing to read"),
        answer("an error", 503),
      ),
    );
    expect(said.slice(0, 2)).toEqual(["open-interest live data", "open-interest"]);
    const trades = events.flatMap((event) => (event.kind === "trade" ? [event] : []));
    expect(trades.map(({ tradeId, historical }) => [tradeId, historical])).toEqual([
      ["3", false],
      ["2", true],
    ]);
    expect(summary).toMatchObject({ duplicateTrades: 1, rejected: { "bad-json": 1 } });
  });

  test("runs the timers of the recording's time: silence shows where it was", async () => {
    const { events } = await play(
      lines(open, received(quoteFrame("A")), {
        ...received(quoteFrame("A")),
        atUs: START_US + 60_000_000,
      }),
      { adapter: { limits: { silenceMsMax: { quotes: 4_000 } } } },
    );
    const stale = events.find((event) => event.kind === "status" && event.state === "stale");
    expect(stale?.receivedTimeUs).toBeGreaterThan(START_US + 5_000_000);
    expect(stale?.receivedTimeUs).toBeLessThanOrEqual(START_US + 6_000_000);
  });

  test("reads data of a connection whose opening was cut off", async () => {
    const { said } = await play(lines(received(tradeFrame("A", "1"))));
    expect(said).toContain("trade");
  });

  test("lets only the wanted channels out, with the sequences of their topics", async () => {
    const sequences: number[] = [];
    await play(lines(open, received(quoteFrame("A")), received(tradeFrame("A", "1"))), {
      channels: ["trades"],
      onEvent: ({ event, sequence }) => {
        expect(event.kind).toBe("trade");
        sequences.push(sequence);
      },
    });
    expect(sequences).toEqual([1]);
  });

  test("counts damaged lines and goes on", async () => {
    const [header, ...rest_] = lines(open, received(tradeFrame("A", "1")));
    const damaged = { kind: "damaged", reason: "not JSON" } as const;
    const { summary } = await play([header as CaptureLine, damaged, ...rest_, damaged]);
    expect(summary).toMatchObject({ damagedLines: 2, events: { trade: 1 } });
  });

  describe("a damaged line", () => {
    const damaged = { kind: "damaged", reason: "not JSON" } as const;
    const snapshot = received(bookFrame("A", { snapshot: true, last: 1 }));
    const delta = (id: number) => received(bookFrame("A", { first: id, last: id }));

    test("between messages that nothing numbers leaves no book that claims to be whole", async () => {
      const [header, ...given] = lines(open, snapshot, delta(2), delta(3));
      const source = [header as CaptureLine, ...given.slice(0, 3), damaged, ...given.slice(3)];
      const { said, summary } = await play(source, { adapter: { snapshot: "in-band" } });
      expect(said.slice(-2)).toEqual([
        "book gap damaged-message",
        "book resyncing damaged-message",
      ]);
      expect(summary).toMatchObject({ damagedLines: 1, gaps: 1 });
    });

    test("at the end, where a recording was cut off, costs no book", async () => {
      const source = [...lines(open, snapshot, delta(2)), damaged];
      const { summary } = await play(source, { adapter: { snapshot: "in-band" } });
      expect(summary).toMatchObject({ damagedLines: 1, gaps: 0 });
    });

    test("costs only those books of a venue that nothing numbers", async () => {
      const other = received(bookFrame("B", { snapshot: true, last: 1 }));
      const [header, ...given] = lines(open, delta(2), rest("A", 2), other, delta(3));
      const source = [header as CaptureLine, ...given.slice(0, 4), damaged, ...given.slice(4)];
      const adapter = { snapshotBySymbol: { B: "in-band" } } as const;
      const { events } = await play(source, { adapter });
      const lost = events.flatMap((event) =>
        event.kind === "status" && event.state === "gap" ? [event.instrument.symbol] : [],
      );
      expect(lost).toEqual(["B"]);
    });

    test("is found by the numbers where there are some", async () => {
      const [header, ...given] = lines(open, delta(2), rest("A", 2), delta(3), delta(4), delta(5));
      const whole = [header as CaptureLine, ...given.slice(0, 4), damaged, ...given.slice(4)];
      expect((await play(whole)).summary).toMatchObject({ damagedLines: 1, gaps: 0 });
      const holed = [header as CaptureLine, ...given.slice(0, 4), damaged, ...given.slice(5)];
      expect((await play(holed)).summary).toMatchObject({ damagedLines: 1, gaps: 1 });
    });
  });

  test("needs a venue, from the header or from whoever asks", async () => {
    await expect(play([])).rejects.toMatchObject({ code: "empty-capture" });
    await expect(play(lines(open).slice(1))).rejects.toMatchObject({ code: "unknown-venue" });
    await expect(play(lines(open), { venue: "other" })).rejects.toMatchObject({
      code: "unknown-venue",
    });
    const { summary } = await play(lines(open).slice(1), { venue: "fake" });
    expect(summary.venue).toBe("fake");
  });

  test("at twice the speed takes half of the time", async () => {
    const clock = new ManualClock();
    const startUs = clock.nowUs();
    const arrivedMs: number[] = [];
    const done = play(lines(open, received(tradeFrame("A", "1")), received(tradeFrame("A", "2"))), {
      clock,
      speed: 2,
      onEvent: ({ event }) => {
        if (event.kind === "trade") arrivedMs.push((clock.nowUs() - startUs) / 1000);
      },
    });
    for (let step = 0; step < 120; step += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10);
    }
    await done;
    expect(arrivedMs).toEqual([500, 1_000]);
  });

  test("ends early when it is told to", async () => {
    const aborting = new AbortController();
    const { summary } = await play(
      lines(open, received(tradeFrame("A", "1")), received(tradeFrame("A", "2"))),
      { signal: aborting.signal, onEvent: () => aborting.abort() },
    );
    expect(summary.frames).toBe(1);
  });

  test("on a bus publishes everything once and in order, and answers after its end", async () => {
    const clock = new ManualClock();
    const bus = new MemoryBus({ clock });
    const broken: number[] = [];
    let next = 1;
    bus.subscribe("md.v2.fake.trades.A", ({ payload }) => {
      const { firstSequence, count } = readBusEvents(readBusBatch(payload));
      if (firstSequence !== next || count > 64) broken.push(firstSequence);
      next = firstSequence + count;
    });
    const frames = Array.from({ length: 1_000 }, (_, id) => received(tradeFrame("A", `${id}`)));
    const replay = startReplay({
      source: from(lines(open, ...frames)),
      resolveAdapter: () => createFakeAdapter(),
      speed: "max",
      clock,
      bus,
    });
    const summary = await replay.finished;
    expect(summary.events["trade"]).toBe(1_000);
    expect(broken).toEqual([]);
    expect(next).toBe(1_001);
    const subject = "rq.v2.fake.replay.catalog";
    const reply = await bus.request(subject, new Uint8Array(), { timeoutMs: 100 });
    expect(reply.length).toBeGreaterThan(10);
    replay.close();
    replay.close();
    await bus.close();
    expect(clock.pending).toBe(0);
  });
});
