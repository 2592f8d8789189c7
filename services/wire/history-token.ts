import { crc32 } from "@tickwire/proto/model";

/** Where a page ends and the next begins. */
type PagePlace = {
  /** Whose sequences `key` counts; 0 where the key means the same for every publisher. */
  readonly epoch: number;
  /** Of the last row that was given: its sequence, or the start of its candle. */
  readonly key: number;
};

/** What the answers of all pages of a request have in common. */
type HistoryRequest = {
  readonly venue: string;
  readonly symbol: string;
  readonly intervalMs?: number;
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
};

const TEXT = /^([0-9a-f]{1,8})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})$/;
const FORM = /^[A-Za-z0-9_-]{1,100}$/;

/** The query of a request for trades (which has no interval) or candles. */
export function historyQuery(request: HistoryRequest): string {
  const { venue, symbol, intervalMs = 0, fromTimeUs, toTimeUs } = request;
  return [venue, symbol, intervalMs, fromTimeUs, toTimeUs].join(" ");
}

/**
 * The token of a place in the answers to a query. `query` is the same for every page; the token
 * works with it alone.
 */
export function writeHistoryToken(query: string, { epoch, key }: PagePlace): string {
  return toBase64Url(`${checkOf(query)}.${epoch}.${key}`);
}

/** The place that a token of this query names; undefined for any other text. */
export function readHistoryToken(query: string, token: string): PagePlace | undefined {
  const match = FORM.test(token) ? TEXT.exec(fromBase64Url(token)) : null;
  if (match === null) return undefined;
  const [, check, epochText, keyText] = match;
  const place = { epoch: Number(epochText), key: Number(keyText) };
  const isSafe = Number.isSafeInteger(place.epoch) && Number.isSafeInteger(place.key);
  return check === checkOf(query) && isSafe ? place : undefined;
}

/** Nobody has to be kept from making tokens; only mistakes are to be noticed. */
function checkOf(query: string): string {
  return crc32(query).toString(16);
}

function toBase64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(token: string): string {
  try {
    return atob(token.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    // A length that no bytes have.
    return "";
  }
}
