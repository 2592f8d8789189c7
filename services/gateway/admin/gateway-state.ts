import type { Clock } from "#core/clock.ts";
import { SampledRates } from "#core/sampled-rates.ts";
import type { ServiceState, StatePage } from "#core/state-page.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GatewayConfig } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { GatewayMetrics, LimitUse } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { Transport } from "../transport/transport.ts";
import type { Turns } from "../turns/turns.ts";
import { limitUse } from "./limit-use.ts";
import { sessionPage, subscriptionPage } from "./session-page.ts";
import { topicPage } from "./topic-page.ts";
import type { TopicRates } from "./topic-page.ts";
import { venuePage } from "./venue-page.ts";

type GatewayStateParts = {
  readonly gateway: Gateway;
  readonly hub: Hub;
  readonly catalog: Catalog;
  readonly metrics: GatewayMetrics;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly config: GatewayConfig;
};

/** The totals of a gateway. */
export type GatewaySummary = {
  readonly address: string;
  readonly port: number;
  readonly transport: Transport["kind"];
  readonly notReady: readonly string[];
  readonly sessions: number;
  readonly topics: number;
  readonly views: number;
  readonly subscriptions: number;
  readonly instruments: number;
  /** Null when it is asked for the first time. */
  readonly framesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly lagMsMax: number;
  readonly queues: { readonly inboxBytes: number; readonly queriesWaiting: number };
  readonly limits: readonly LimitUse[];
};

/** What operators see of a gateway. Work of a line of its own, so clients are not held up. */
export function createGatewayState(
  parts: GatewayStateParts,
): ServiceState & { summary(): Promise<GatewaySummary> } {
  const { gateway, hub, catalog, metrics, clock, config } = parts;
  const line = parts.turns.open();
  const rates: TopicRates = new SampledRates();
  const shared = { hub, catalog, metrics, clock, line, rates, sessions: gateway };
  const pages = new Map<string, StatePage>([
    ["sessions", sessionPage(shared)],
    ["subscriptions", subscriptionPage(shared)],
    ["topics", topicPage(shared)],
    ["venues", venuePage(shared)],
  ]);
  const totalRates = new SampledRates();
  const [frameKey, byteKey] = [{}, {}];
  const summary = async (): Promise<GatewaySummary> => {
    const nowUs = clock.monotonicUs();
    const count = async (name: CountedTotal): Promise<number> => {
      const { values } = await metrics[name].get();
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    const rateOf = (key: object, value: number): number | null => {
      const rate = totalRates.of(key, { value, run: 0 }, nowUs);
      return rate === undefined ? null : Math.round(rate * 10) / 10;
    };
    const [framesSent, bytesSent] = [await count("framesSent"), await count("bytesSent")];
    return {
      address: gateway.address,
      port: gateway.port,
      transport: gateway.transportKind,
      notReady: gateway.notReadyReasons(),
      sessions: gateway.sessions,
      topics: hub.topics,
      views: hub.views,
      subscriptions: await count("subscriptions"),
      instruments: catalog.size,
      framesPerSecond: rateOf(frameKey, framesSent),
      bytesPerSecond: rateOf(byteKey, bytesSent),
      lagMsMax: Math.round((await count("lagSecondsMax")) * 1_000),
      queues: {
        inboxBytes: await count("inboxBytes"),
        queriesWaiting: await count("queriesWaiting"),
      },
      limits: limitUse(config, { gateway, hub, catalog }),
    };
  };
  return { name: "gateway", summary, pages };
}

/** Metrics that are totals of the whole gateway. */
type CountedTotal =
  | "framesSent"
  | "bytesSent"
  | "subscriptions"
  | "lagSecondsMax"
  | "inboxBytes"
  | "queriesWaiting";
