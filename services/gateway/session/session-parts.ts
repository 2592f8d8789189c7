import type { Clock } from "#core/clock.ts";
import type { Tracing } from "#core/tracing.ts";
import type { Logger } from "#core/logger.ts";
import type { Access } from "../access/access.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GatewayConfig } from "../config.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { ServiceTable } from "../rpc/service-table.ts";
import type { Hub } from "../topics/hub.ts";
import type { Turns } from "../turns/turns.ts";
import type { InboxSpace } from "./frame-inbox.ts";
import type { Flusher } from "./outbound/flusher.ts";
import type { Looks } from "../access/looks.ts";
import type { PrincipalAccounts } from "./principal-accounts.ts";
import type { SubscriptionTable } from "./topic-subscription.ts";

/** What every session shares. */
export type SessionParts = {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly flusher: Flusher;
  readonly hub: Hub;
  readonly catalog: Catalog;
  readonly services: ServiceTable;
  /** For what may take long. */
  readonly turns: Turns;
  readonly inboxSpace: InboxSpace;
  /** The subscriptions of all of them. */
  readonly table: SubscriptionTable;
  readonly serverVersion: string;
  /** Where spans go; undefined if nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly access: Pick<Access, "authenticateNow" | "review">;
  readonly accounts: PrincipalAccounts;
  readonly looks: Looks;
  /** Of this run of the gateway, and of no other. */
  readonly gatewayId: string;
};
