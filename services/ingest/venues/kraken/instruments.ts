// What both versions of Kraken's public feed share.
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
// https://docs.kraken.com/exchange/api-reference/spot-rest (GET /0/public/AssetPairs)
import { canonicalDecimal, type Mantissa, type OrderBook } from "@tickwire/proto/model";
import { z } from "zod";
import { CRC32_START, finishCrc32, updateCrc32 } from "#core/crc32.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  BookProof,
  BookSync,
  FeedEndpoints,
  FeedLimits,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

/** Levels per side that can be subscribed; others are refused. */
export const KRAKEN_BOOK_DEPTHS: readonly number[] = [10, 25, 100, 500, 1000];

/** Levels of each side that a checksum covers. */
const CHECKSUM_DEPTH = 10;

/** The channels that both versions carry. */
export const KRAKEN_CHANNELS: readonly Channel[] = [
  "trades",
  "quotes",
  "book",
  "ticker",
  "candles",
];

/**
 * Cloudflare allows about 150 connects in ten minutes. Heartbeats come every second while anything
 * is subscribed. How many frames we may send is not published: this is far below what is known to
 * work.
 */
export const KRAKEN_LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 1000,
  outgoingFrames: { count: 10, intervalMs: 1000 },
  restWeight: { count: 1, intervalMs: 1000 },
  connects: { count: 100, intervalMs: 600_000 },
  // Books of quiet pairs move every few seconds; trades of quiet pairs may not come for hours.
  silenceMsMax: { book: 120_000 },
  connectionSilenceMsMax: 15_000,
  connectionAgeMsMax: undefined,
};

/** A checksum with every message, over the best ten levels of each side. */
export const KRAKEN_BOOK_PROOF: BookProof = {
  order: "checksum",
  content: "checksum",
  checksumLevels: 10,
  note: "A fault below the best ten levels is noticed when it comes into them.",
};

/** Snapshots come with the subscription; checksums are the only way to notice a loss. */
export const KRAKEN_BOOK_SYNC: BookSync = { snapshot: "in-band", checksum: krakenChecksum };

/**
 * CRC-32 over the best ten asks, then the best ten bids: price, then size, each as the venue writes
 * it without the point and without leading zeros. That is the mantissa at the scale of the venue's
 * texts, which the scale tracker of a book keeps including trailing zeros.
 */
export function krakenChecksum(book: OrderBook): number {
  const asks = book.asks(CHECKSUM_DEPTH);
  const bids = book.bids(CHECKSUM_DEPTH);
  let state = updateLevels(CRC32_START, asks.prices, asks.sizes);
  state = updateLevels(state, bids.prices, bids.sizes);
  return finishCrc32(state);
}

function updateLevels(
  start: number,
  prices: readonly Mantissa[],
  sizes: readonly Mantissa[],
): number {
  let state = start;
  for (let index = 0; index < prices.length; index++) {
    state = updateCrc32(state, String(prices[index]));
    state = updateCrc32(state, String(sizes[index]));
  }
  return state;
}

/** The smallest depth on offer that holds `wanted` levels, or the largest there is. */
export function nearestBookDepth(wanted: number): number {
  return KRAKEN_BOOK_DEPTHS.find((depth) => depth >= wanted) ?? 1000;
}

/** The scales of one instrument. */
export class KrakenScales {
  /** Of trades and quotes, which are written with varying precision. */
  readonly ticks: ScaleTracker = new ScaleTracker();
  /** Of the book, whose texts all have the pair's precision. */
  book: ScaleTracker = new ScaleTracker({ keepTrailingZeros: true });

  /**
   * A snapshot defines the precision anew, so that one damaged text cannot spoil checksums for
   * good.
   */
  startBook(): void {
    this.book = new ScaleTracker({ keepTrailingZeros: true });
  }
}

/** Per-instrument scales of one connection, made as instruments turn up. */
export class KrakenScalesByInstrument {
  readonly #scales = new Map<Instrument, KrakenScales>();

  of(instrument: Instrument): KrakenScales {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) {
      scales = new KrakenScales();
      this.#scales.set(instrument, scales);
    }
    return scales;
  }
}

/** Kraken's old names of two assets, which v1 and REST still use. */
const ASSET_NAMES: Readonly<Record<string, string>> = { XBT: "BTC", XDG: "DOGE" };

/** Some assets have lower-case letters in their name (`AAPLx`). */
const ASSET = /^[A-Za-z0-9.]{1,32}$/;

const listSchema = z.object({ result: z.record(z.string(), z.unknown()) });

const pairSchema = z.object({
  wsname: z.string(),
  status: z.string().optional(),
  pair_decimals: z.number().int().min(0).max(32),
  lot_decimals: z.number().int().min(0).max(32),
  /** May be in exponent notation. */
  tick_size: z.string().optional(),
});

/** How a version of the feed names a pair that REST calls `wsname`. */
export type KrakenNaming = {
  readonly venue: string;
  readonly venueSymbolOf: (wsname: string) => string;
};

/** The request that lists pairs. */
export function assetPairsRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/0/public/AssetPairs`, weight: 1 };
}

export function isAssetPairsUrl(url: string): boolean {
  return /\/public\/AssetPairs(\?|$)/.test(url);
}

/**
 * Reads an AssetPairs body; undefined if it is not one. Pairs without a WebSocket name (dark pools)
 * and those that would get a symbol that another one has are left out and counted.
 */
export function parseAssetPairs(
  body: string,
  naming: KrakenNaming,
): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const list = listSchema.safeParse(json);
  if (!list.success) return undefined;
  const pairs = Object.values(list.data.result);
  const bySymbol = new Map<string, Instrument>();
  for (const pair of pairs) {
    const parsed = pairSchema.safeParse(pair);
    if (!parsed.success || parsed.data.status === "delisted") continue;
    const { wsname, tick_size: tickSize, pair_decimals: priceDecimals } = parsed.data;
    const instrument = deriveKrakenInstrument(naming.venueSymbolOf(wsname), naming.venue);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    const priceIncrement = canonicalDecimal(tickSize ?? `1e-${priceDecimals}`);
    const sizeIncrement = canonicalDecimal(`1e-${parsed.data.lot_decimals}`);
    bySymbol.set(instrument.symbol, {
      ...instrument,
      ...(priceIncrement === undefined ? {} : { priceIncrement }),
      ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
    });
  }
  return { instruments: [...bySymbol.values()], skipped: pairs.length - bySymbol.size };
}

/** The pair as v2 writes it: `XBT/USD` is `BTC/USD` there. */
export function modernPairName(wsname: string): string {
  return wsname.split("/").map(modernAssetName).join("/");
}

/**
 * An instrument from `BASE/QUOTE` alone, in the old or the new names; undefined if it is no such
 * text.
 */
export function deriveKrakenInstrument(venueSymbol: string, venue: string): Instrument | undefined {
  const parts = venueSymbol.split("/");
  const [base, quote] = parts.map(modernAssetName);
  if (parts.length !== 2 || base === undefined || quote === undefined) return undefined;
  if (!ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return {
    venue,
    symbol: `${base}-${quote}`,
    venueSymbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}

function modernAssetName(asset: string): string {
  return ASSET_NAMES[asset] ?? asset;
}
