import type { GatewaySummary } from "../admin/gateway-state.ts";
import type { WorkerState } from "./worker-table.ts";

type WorkerSummary = {
  readonly worker: number;
  readonly state: WorkerState;
  readonly notReady: readonly string[];
  /** Undefined if it did not answer. */
  readonly summary: GatewaySummary | undefined;
};

/**
 * What the workers of a gateway come to. Counts are sums, so a topic counts once for each worker
 * that follows it; of limits that each worker has for itself, the fullest is shown.
 */
export function joinedSummary(workers: readonly WorkerSummary[]): object {
  const summaries = workers.flatMap(({ summary }) => summary ?? []);
  const sum = (valueOf: (one: GatewaySummary) => number | null): number =>
    summaries.reduce((total, one) => total + (valueOf(one) ?? 0), 0);
  const most = (valueOf: (one: GatewaySummary) => number): number =>
    summaries.reduce((max, one) => Math.max(max, valueOf(one)), 0);
  const [first] = summaries;
  return {
    address: first?.address,
    port: first?.port,
    transport: first?.transport,
    notReady: joinedReasons(workers),
    sessions: sum(({ sessions }) => sessions),
    topics: sum(({ topics }) => topics),
    views: sum(({ views }) => views),
    subscriptions: sum(({ subscriptions }) => subscriptions),
    instruments: most(({ instruments }) => instruments),
    framesPerSecond: sum(({ framesPerSecond }) => framesPerSecond),
    bytesPerSecond: sum(({ bytesPerSecond }) => bytesPerSecond),
    lagMsMax: most(({ lagMsMax }) => lagMsMax),
    queues: {
      inboxBytes: sum(({ queues }) => queues.inboxBytes),
      queriesWaiting: sum(({ queues }) => queues.queriesWaiting),
    },
    limits: (first?.limits ?? []).map(({ limit, max }) => {
      const used = most(({ limits }) => limits.find((one) => one.limit === limit)?.used ?? 0);
      return { limit, used, max };
    }),
    workers: workers.map(({ worker, state, notReady, summary }) => {
      return { worker, state, notReady, sessions: summary?.sessions ?? 0 };
    }),
  };
}

/** What connects goes to workers that serve, so one of them that is ready is enough. */
export function joinedReasons(
  workers: readonly {
    readonly state: WorkerState;
    readonly notReady: readonly string[];
  }[],
): string[] {
  const isReady = workers.some(({ state, notReady }) => {
    return state === "serving" && notReady.length === 0;
  });
  return isReady ? [] : [...new Set(workers.flatMap(({ notReady }) => notReady))];
}
