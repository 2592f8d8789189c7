// https://docs.deribit.com/api-reference/market-data/public-get_instruments
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { parseJsonText } from "#core/json-text.ts";
import { expiryDayOfWords } from "../../reading/expiry-days.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";

const VENUE = "deribit";

/** `ETH`, and coins of later days such as `XRP` or `TRUMP`. */
const ASSET = "[A-Z0-9]{1,16}";
const NAMES = {
  spot: new RegExp(`^(${ASSET})_(${ASSET})$`),
  perpetual: new RegExp(`^(${ASSET})(?:_(${ASSET}))?-PERPETUAL$`),
  future: new RegExp(`^(${ASSET})(?:_(${ASSET}))?-(\\d{1,2}[A-Z]{3}\\d{2})$`),
  option: new RegExp(
    `^(${ASSET})(?:_(${ASSET}))?-(\\d{1,2}[A-Z]{3}\\d{2})-(\\d+(?:d\\d+)?)-([CP])$`,
  ),
  combo: new RegExp(`^(${ASSET})(?:_(${ASSET}))?-([A-Z]{2,8})-([0-9A-Zd]+(?:[-_][0-9A-Zd]+)*)$`),
} as const;

const listSchema = z.object({ result: z.array(z.unknown()) });

/** Numbers are read as their texts. */
const listedSchema = z.object({
  instrument_name: z.string(),
  kind: z.string().optional().catch(undefined),
  is_active: z.boolean().optional().catch(undefined),
  state: z.string().optional().catch(undefined),
  contract_size: z.string().optional().catch(undefined),
  tick_size: z.string().optional().catch(undefined),
  min_trade_amount: z.string().optional().catch(undefined),
  expiration_timestamp: z.string().optional().catch(undefined),
  settlement_currency: z.string().optional().catch(undefined),
});

/** What the venue calls an instrument that does not trade without another word for it. */
const NOT_ACTIVE = "not active";

const DERIBIT_STATES: StateWords = {
  open: "trading",
  settlement: "settling",
  locked: "cancel-only",
  halted: "halted",
  inactive: "closed",
  [NOT_ACTIVE]: "closed",
  delivered: "delisted",
  archivized: "delisted",
};

/** What the channel of states tells of, beside the states themselves. */
export const DERIBIT_EVENTS: StateWords = {
  ...DERIBIT_STATES,
  created: "pre-open",
  started: "trading",
  settled: "settling",
  closed: "closed",
  deactivated: "closed",
  terminated: "delisted",
};

/** Of what may come back, and of what has ended. */
const PAUSED: ReadonlySet<string> = new Set(["inactive", NOT_ACTIVE]);

/**
 * Reads a list of instruments; undefined if the body is not one. Left out and counted is what no
 * longer trades.
 */
export function parseDeribitInstruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  return list.success ? listInstruments(list.data.result, toInstrument, PAUSED) : undefined;
}

function toInstrument(entry: unknown): Instrument | undefined {
  const listed = listedSchema.safeParse(entry);
  if (!listed.success) return undefined;
  const { state: word, is_active: isActive, instrument_name: name } = listed.data;
  const isPaused = isActive === false && (word === undefined || word === "open");
  const state = stateOfWord(DERIBIT_STATES, isPaused ? NOT_ACTIVE : word);
  const instrument = state.state === "delisted" ? undefined : deriveDeribitInstrument(name);
  return instrument && { ...instrument, ...detailsOf(instrument, listed.data), ...state };
}

/** The venue's word for a combo of futures alone. */
const FUTURE_COMBO = "future_combo";

function detailsOf(
  instrument: Instrument,
  listed: z.infer<typeof listedSchema>,
): Partial<Instrument> {
  const contractSize = canonicalDecimal(listed.contract_size ?? "0");
  const hasSize = contractSize !== undefined && contractSize !== "0";
  const expiryMs = Number(listed.expiration_timestamp ?? Number.NaN);
  const expires = instrument.expiryTimeUs !== undefined && Number.isSafeInteger(expiryMs);
  const isListedCombo = instrument.kind === "combo" && listed.kind !== undefined;
  return {
    ...(isListedCombo ? comboSizesOf(instrument, listed.kind) : {}),
    ...(hasSize && instrument.kind !== "spot" ? { contractSize } : {}),
    ...incrementsOf({ price: listed.tick_size, size: listed.min_trade_amount }),
    ...(expires ? { expiryTimeUs: expiryMs * 1000 } : {}),
    ...(listed.settlement_currency === undefined ? {} : { settle: listed.settlement_currency }),
  };
}

/**
 * An instrument from its name. `BTC-…` is against the dollar and settled in the coin; `BTC_USDC-…`
 * is against the second asset and settled in it. Options on the coin are priced in the coin, and
 * their strike is in dollars.
 */
export function deriveDeribitInstrument(venueSymbol: string): Instrument | undefined {
  const common = { venue: VENUE, venueSymbol };
  const spot = NAMES.spot.exec(venueSymbol);
  if (spot !== null) {
    const [, base = "", quote = ""] = spot;
    return spotPair(VENUE, venueSymbol, { base, quote });
  }
  const perpetual = NAMES.perpetual.exec(venueSymbol);
  if (perpetual !== null) {
    const pair = pairOf(perpetual[1], perpetual[2]);
    const symbol = `${pair.base}-${pair.quote}-PERP`;
    return { ...common, symbol, kind: "perpetual", ...pair, ...sizesOf(pair) };
  }
  const dated = NAMES.future.exec(venueSymbol) ?? NAMES.option.exec(venueSymbol);
  const expiry = dated === null ? undefined : expiryDayOfWords(dated[3] ?? "");
  if (dated === null) return deriveCombo(venueSymbol);
  if (expiry === undefined) return undefined;
  const pair = pairOf(dated[1], dated[2]);
  const symbol = `${pair.base}-${pair.quote}-${expiry.day}`;
  const expiryTimeUs = expiry.timeUs;
  const [, , , , strikeText, side] = dated;
  if (strikeText === undefined) {
    return { ...common, symbol, kind: "future", ...pair, ...sizesOf(pair), expiryTimeUs };
  }
  const strike = canonicalDecimal(strikeText.replace("d", ".")) ?? strikeText;
  return {
    ...common,
    symbol: `${symbol}-${strike}-${side}`,
    kind: "option",
    ...pair,
    inverse: false,
    expiryTimeUs,
    strike,
    optionType: side === "C" ? "call" : "put",
  };
}

/** A future against another one, or against the perpetual. */
const FUTURE_SPREAD = "FS";

/**
 * `BTC-FS-25DEC26_PERP`, `BTC-CS-25DEC26-100000_110000`: what is combined, then the days and
 * strikes of its legs. It ends with the first of them.
 */
function deriveCombo(venueSymbol: string): Instrument | undefined {
  const [, base, quote, combination = "", legs = ""] = NAMES.combo.exec(venueSymbol) ?? [];
  if (base === undefined) return undefined;
  const days: number[] = [];
  const written = legs.replace(/[0-9A-Zd]+/g, (part) => {
    const expiry = expiryDayOfWords(part);
    if (expiry !== undefined) days.push(expiry.timeUs);
    return expiry?.day ?? part.replace("d", ".");
  });
  // What names no day is no combination of anything.
  if (days.length === 0) return undefined;
  const pair = pairOf(base, quote);
  const combo = { venue: VENUE, venueSymbol, kind: "combo", ...pair } as const;
  return {
    ...combo,
    symbol: `${base}-${pair.quote}-${combination}-${written}`,
    ...comboSizesOf(combo, combination === FUTURE_SPREAD ? FUTURE_COMBO : undefined),
    expiryTimeUs: Math.min(...days),
  };
}

/** Amounts of combined futures count as those of the futures, all others as those of options. */
function comboSizesOf(
  { base, settle }: Pick<Instrument, "base" | "settle">,
  kind: string | undefined,
): Pick<Instrument, "inverse" | "sizeUnit"> {
  const inverse = settle === base && kind === FUTURE_COMBO;
  return { inverse, sizeUnit: inverse ? "quote" : "base" };
}

type Pair = Pick<Instrument, "base" | "quote" | "settle" | "inverse">;

function pairOf(base = "", quote: string | undefined): Pair {
  return quote === undefined
    ? { base, quote: "USD", settle: base, inverse: true }
    : { base, quote, settle: quote, inverse: false };
}

/** Amounts of inverse futures count dollars; all others count the coin. */
function sizesOf({ inverse }: Pair): Pick<Instrument, "sizeUnit"> {
  return inverse ? { sizeUnit: "quote" } : {};
}
