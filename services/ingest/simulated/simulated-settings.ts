import { z } from "zod";
import { didYouMean } from "#core/nearest.ts";
import { quotedText } from "#core/visible-text.ts";
import { listSimulatedInstruments } from "./simulated-instruments.ts";

const share = () => z.number().min(0).max(1).default(0);
const meanMs = (fallback = 0) => z.int().min(0).max(86_400_000).default(fallback);

/** What can be set about faults of the line to the simulated venue. */
const chaosSchema = z
  .strictObject({
    dropShare: share().describe("of the messages, that are lost"),
    delayShare: share().describe("of the messages, that hold up all behind them on the connection"),
    delayMs: z.int().min(1).max(60_000).default(500).describe("for how long"),
    reorderShare: share().describe("of trades and book changes, that come after the next one"),
    crossedShare: share().describe("of the quotes, whose bid is above the ask"),
    disconnectIntervalMs: meanMs().describe(
      "mean time between two cuts of a connection; 0 is none",
    ),
    silenceIntervalMs: meanMs().describe("mean time until an instrument falls silent; 0 is never"),
    silenceMs: z.int().min(1).max(3_600_000).default(15_000).describe("how long one stays silent"),
  })
  .prefault({})
  .describe("faults on request, each counted by tickwire_ingest_simulated_faults_total");

/** What can be set about the simulated venue's market. */
export const simulatedSchema = z
  .strictObject({
    seed: z.int().min(0).default(1).describe("the same seed gives the same market"),
    instruments: z.int().min(1).max(10_000).default(30).describe("spot instruments"),
    perpetuals: z.int().min(0).max(10_000).default(6).describe("perpetuals on the first of them"),
    eventsPerSecond: z
      .union([z.literal("max"), z.number().positive().max(1_000_000)])
      .default(20)
      .describe("book changes, see pace; max is a load generator"),
    pace: z
      .enum(["natural", "even"])
      .default("natural")
      .describe(
        "natural: eventsPerSecond is the mean of the busiest spot instrument, others are slower, " +
          "with quiet times and bursts; even: it is the exact rate of each instrument",
      ),
    bookLevels: z.int().min(10).max(1_000).default(200).describe("levels per side"),
    volatility: z.number().min(0).max(20).default(1).describe("times the usual; 0 stands still"),
    haltIntervalMs: meanMs(600_000).describe("mean time between two halts of trading; 0 is none"),
    listingIntervalMs: meanMs(900_000).describe(
      "mean time between two changes of the list, in or out; 0 is none",
    ),
    chaos: chaosSchema,
  })
  .describe("the simulated venue's market; other venues do not have it");

/**
 * What is set about the market. The same seed, settings and clock give the same market, frame by
 * frame. At the rate "max" it is a load generator: as much as the process can carry, in every
 * instrument alike.
 */
export type SimulatedSettings = Readonly<z.infer<typeof simulatedSchema>>;

/** The simulated market where nothing about it is set. */
export const SIMULATED_MARKET_DEFAULTS = simulatedSchema.parse({});
/** An error names no more of them. */
const SIMULATED_SYMBOLS_SHOWN_MAX = 13;

/** In a sentence, which of the symbols wanted the simulated venue lacks, and what it has. */
export function simulatedSymbolProblem({
  instruments,
  simulated = SIMULATED_MARKET_DEFAULTS,
}: {
  readonly instruments: readonly string[];
  readonly simulated?: SimulatedSettings | undefined;
}): string | undefined {
  if (instruments.length === 0) return undefined;
  const listed = listSimulatedInstruments(simulated).map(({ symbol }) => symbol);
  const known = new Set(listed);
  const missing = instruments.find((symbol) => !known.has(symbol));
  if (missing === undefined) return undefined;
  const meant = didYouMean(missing, listed);
  if (meant !== "") return `the simulated market has no ${quotedText(missing)}${meant}`;
  const shown = listed.slice(0, SIMULATED_SYMBOLS_SHOWN_MAX).join(", ");
  const more = listed.length - SIMULATED_SYMBOLS_SHOWN_MAX;
  const rest = more > 0 ? ` and ${more} more` : "";
  return `the simulated market has no ${quotedText(missing)}; it has ${shown}${rest}`;
}
