import { MarketData } from "@tickwire/proto/service";
import type { MarketDataHandlers } from "@tickwire/proto/service";
import type { Looks } from "../access/looks.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { busLatency } from "./bus-latency.ts";
import { getCandles } from "./get-candles.ts";
import { getInstrument } from "./get-instrument.ts";
import { getServerTime } from "./get-server-time.ts";
import { getSnapshot } from "./get-snapshot.ts";
import { getStatus } from "./get-status.ts";
import { getTrades } from "./get-trades.ts";
import { VenueGates } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { listInstruments } from "./list-instruments.ts";
import { replay, ReplayPlaces } from "./replay.ts";
import type { ReplayParts } from "./replay.ts";
import { bindService } from "./service-table.ts";
import type { RpcContext, ServiceTable } from "./service-table.ts";

type MarketDataParts = Omit<MethodParts, "gates"> &
  ReplayParts & {
    readonly metrics: Pick<GatewayMetrics, "latencies">;
    readonly looks: Pick<Looks, "take">;
  };

/** The MarketData service: every method of the schema, one file each. */
export function createMarketData(given: MarketDataParts): ServiceTable {
  const busLatencyOf = busLatency(given.metrics, given.clock);
  const parts = { ...given, busLatencyOf, gates: new VenueGates() };
  const places = new ReplayPlaces(given);
  const handlers: MarketDataHandlers<RpcContext> = {
    listInstruments: (request, context) =>
      context.line.run(listInstruments(parts.catalog, request, context)),
    getInstrument: (request, context) => getInstrument(parts.catalog, request, context),
    getSnapshot: (request, context) => getSnapshot(parts, request, context),
    getTrades: (request, context) => getTrades(parts, request, context),
    getCandles: (request, context) => getCandles(parts, request, context),
    getStatus: (request, context) => getStatus(parts, request, context),
    getServerTime: () => getServerTime(parts.clock),
    replay: (request, context) => replay(parts, places, request, context),
  };
  return bindService(MarketData, handlers);
}
