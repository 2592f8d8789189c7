// What events cost in memory. The figures are the same on every machine but for a few percent, so
// that a bound a little above them shows what grew.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";

type Figures = Readonly<Record<string, number>>;
type Bounds = readonly [name: string, what: string, atLeast: number, atMost: number];

/** What a script prints; its flags are those of a process in which nothing is collected unasked. */
function figuresOf(script: string): Figures {
  const flags = ["--expose-gc", "--max-semi-space-size=256", "--no-opt"];
  const path = join(import.meta.dirname, "../..", script);
  const printed = execFileSync(process.execPath, [...flags, path], { encoding: "utf8" });
  return JSON.parse(printed) as Figures;
}

/** What is wrong; below the first bound the measurement is broken: so little cannot be. */
function faultOf(figures: Figures, [name, , atLeast, atMost]: Bounds): string | undefined {
  const bytes = figures[name] ?? Number.NaN;
  if (bytes > atLeast && bytes <= atMost) return undefined;
  return `${name} is ${bytes}, which is not between ${atLeast} and ${atMost}`;
}

describe("the codec, a publisher and an ingestor", () => {
  let figures: Figures = {};
  beforeAll(() => {
    figures = figuresOf("test/support/memory-figures.mjs");
  });

  test.each<Bounds>([
    ["allocatedToEncodeATrade", "trades encoded, 16 a batch, in bytes for each", 50, 900],
    [
      "allocatedToDecodeATrade",
      "trades decoded to columns, 16 a batch, in bytes for each",
      50,
      800,
    ],
    ["allocatedToIngestAChange", "frames with a changed level to batches, in bytes", 100, 2_000],
    ["allocatedToIngestATrade", "frames with a trade to batches, in bytes", 100, 2_500],
    ["keptOfATopicOfOneTrade", "a publisher's topic that had one trade, in bytes", 300, 5_000],
    [
      "keptOfATopicOfManyTrades",
      "a publisher's topic that had 2,000 trades, a batch each, in bytes",
      40_000,
      90_000,
    ],
    ["keptOfAnInstrument", "an ingestor's instrument with a small book", 3_000, 25_000],
  ])("%s: %s", (...bounds) => {
    expect(faultOf(figures, bounds)).toBeUndefined();
  });
});

describe.runIf(UWS_IS_EXPECTED)("a gateway on its whole way", () => {
  let figures: Figures = {};
  beforeAll(() => {
    figures = figuresOf("test/support/gateway-memory-figures.mjs");
  });

  test.each<Bounds>([
    // The less, the more of them share a frame, as they do while a machine is busy.
    ["allocatedToDeliverABatch", "a batch to one more session, in bytes", 20, 1_000],
    [
      "keptOfATopicAtAGateway",
      "a topic of one trade: at its publisher, at the gateway, and as a subscription",
      3_000,
      25_000,
    ],
  ])("%s: %s", (...bounds) => {
    expect(faultOf(figures, bounds)).toBeUndefined();
  });
});
