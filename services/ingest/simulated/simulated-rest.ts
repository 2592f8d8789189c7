import type { Clock } from "#core/clock.ts";
import type { RestClient } from "../feed/rest/rest-client.ts";
import type { ListedMarkets } from "./listed-markets.ts";

/** Candles that one answer holds at most, and the longest range of one request. */
export const CANDLE_ROWS_MAX = 1_000;
export const CANDLE_SPAN_MS_MAX = 30 * 86_400_000;

/** What the venue tells by REST: the list of its instruments, and candles. */
export function createSimulatedRest(clock: Clock, markets: ListedMarkets): RestClient {
  const pending = new Set<(reason: string) => void>();
  let closed = false;
  return {
    get(request, onResponse, onError): void {
      pending.add(onError);
      clock.after(0, () => {
        if (!pending.delete(onError)) return;
        if (closed) return onError("closed");
        onResponse({ url: request.url, ...answerOf(request.url, markets) });
      });
    },
    close(): void {
      closed = true;
      for (const onError of pending) onError("closed");
      pending.clear();
    },
  };
}

type Answer = { readonly status: number; readonly body: string };

/** What the venue answers to a GET of this address. */
function answerOf(address: string, markets: ListedMarkets): Answer {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.pathname.endsWith("/instruments") === true) {
    return { status: 200, body: JSON.stringify({ instruments: markets.instruments }) };
  }
  if (url?.pathname.endsWith("/candles") === true) return candlesAnswer(url.searchParams, markets);
  return { status: 404, body: "" };
}

function candlesAnswer(query: URLSearchParams, markets: ListedMarkets): Answer {
  const listing = markets.get(query.get("symbol") ?? "");
  const [intervalMs = 0, fromMs = 0, toMs = 0] = ["interval", "from", "to"].map((name) =>
    Number(query.get(name) ?? "x"),
  );
  if (listing === undefined) return { status: 404, body: '{"reason":"unknown-instrument"}' };
  const isRange = [intervalMs, fromMs, toMs].every(Number.isSafeInteger);
  const rows = (toMs - fromMs) / intervalMs;
  if (!isRange || !(intervalMs >= 60_000) || intervalMs % 60_000 !== 0 || !(rows >= 0)) {
    return { status: 400, body: '{"reason":"bad-range"}' };
  }
  if (rows > CANDLE_ROWS_MAX || toMs - fromMs > CANDLE_SPAN_MS_MAX) {
    return { status: 400, body: '{"reason":"range-too-long"}' };
  }
  const [fromUs, toUs, intervalUs] = [fromMs, toMs, intervalMs].map((ms) => ms * 1000);
  const range = { fromUs: fromUs ?? 0, toUs: toUs ?? 0, intervalUs: intervalUs ?? 0 };
  return { status: 200, body: JSON.stringify({ candles: listing.market.candles(range) }) };
}
