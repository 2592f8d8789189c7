import { sideToWire } from "@tickwire/proto/codec";
import type { TradeRow } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import { GetTradesRequestCodec, GetTradesResponseCodec } from "@tickwire/proto/service";
import type { GetTradesRequest, GetTradesResponse, Trade } from "@tickwire/proto/service";
import { historyQuery } from "#wire/history-token.ts";
import { checkHistoryRequest, queryHistory } from "./history-request.ts";
import type { HistoryParts } from "./history-request.ts";
import { LoggedRows, pageOfPast } from "./logged-rows.ts";
import type { LoggedRow, RowReader } from "./logged-rows.ts";
import { gotUntilUs, lateRange } from "./late-range.ts";
import { requireChannel, requireInstrument } from "./request-checks.ts";
import type { RpcContext } from "./service-table.ts";

/** A page of the trades of an instrument that its ingestor or the log keeps, oldest first. */
export async function getTrades(
  parts: HistoryParts,
  request: GetTradesRequest,
  context: Pick<RpcContext, "line" | "spend" | "signal" | "principal">,
): Promise<GetTradesResponse> {
  const { principal } = context;
  const instrument = requireInstrument(parts.catalog, request, principal);
  const terms = requireChannel(instrument, "trades", principal);
  const { venue, symbol } = instrument;
  const untilUs = gotUntilUs(terms, parts.clock.nowUs());
  const late = lateRange(request, untilUs === undefined ? undefined : untilUs + 1);
  if (late.request === undefined) return { trades: [], keptFromTimeUs: 0, nextPageToken: "" };
  const asked = checkHistoryRequest({ ...late.request, venue, symbol });
  const query = historyQuery(asked);
  const { log } = parts;
  const name = { venue, symbol, channel: "trades" } as const;
  const rows = log && new LoggedRows({ log, name, reader: TRADES, context });
  const page = await pageOfPast(
    async () => {
      const answer = await queryHistory(parts, context, {
        query: { venue, query: "trades", symbol },
        rows: asked.pageSize,
        payload: GetTradesRequestCodec.encode(asked),
        read: (bytes) => GetTradesResponseCodec.decode(bytes),
      });
      return { ...answer, rows: answer.trades };
    },
    rows,
    { ...asked, query },
    // Only the publisher that is followed has answered.
    (trade) => loggedTrade(trade, parts.catalog.publisherOf(venue, symbol)?.epoch ?? 0),
  );
  // What is of before, and came only now, comes to him as much later as the rest.
  const trades = page.rows.filter(
    ({ receivedTimeUs }) => untilUs === undefined || receivedTimeUs <= untilUs,
  );
  const { keptFromTimeUs, nextPageToken } = page;
  return { trades, keptFromTimeUs, nextPageToken: late.tokenOf(nextPageToken) };
}

/** Trades that a venue has late are published late. */
const LATE_US = 60_000_000;

const TRADES: RowReader<Trade> = {
  replaces: false,
  lateUs: LATE_US,
  read: (event, sequence, epoch) => {
    const row = event as TradeRow;
    const trade: Trade = {
      sequence,
      venueTimeUs: row.venueTimeUs,
      receivedTimeUs: row.receivedTimeUs,
      price: formatDecimal(row.priceMantissa, row.priceScale),
      size: formatDecimal(row.sizeMantissa, row.sizeScale),
      aggressorSide: sideToWire(row.aggressorSide),
      tradeId: row.tradeId,
      historical: row.historical,
    };
    return loggedTrade(trade, epoch);
  },
};

function loggedTrade(trade: Trade, epoch: number): LoggedRow<Trade> {
  const timeUs = trade.venueTimeUs ?? trade.receivedTimeUs;
  return { row: trade, epoch, key: trade.sequence, timeUs };
}
