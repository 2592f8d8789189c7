import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { BusHost } from "#bus/threads/bus-host.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** Metrics of the workers as the thread sees them that started them. */
export type WorkerMetricSet = ReturnType<typeof createWorkerMetrics>;

/** Registers what is counted. @throws if the registry has it already. */
export function createWorkerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    workerStarts: new Counter({
      name: "tickwire_gateway_worker_starts_total",
      help: "Workers that began to serve, at first and after a death.",
      registers,
    }),
    workerDeaths: new Counter({
      name: "tickwire_gateway_worker_deaths_total",
      help: "Workers that ended because of a bug, or could not start, or hung.",
      registers,
    }),
    workerHangs: new Counter({
      name: "tickwire_gateway_worker_hangs_total",
      help: "Workers that were ended because their event loop did not turn. They died, too.",
      registers,
    }),
    workerAnswersMissed: new Counter({
      name: "tickwire_gateway_worker_answers_missed_total",
      help: "Answers of workers to operators that did not come in time, by what was asked for.",
      labelNames: ["question"],
      registers,
    }),
  };
}

/** Reads what is seen of each worker when the metrics are asked for. */
export function registerWorkerUse(
  registry: Registry,
  {
    places,
    host,
  }: { readonly places: readonly WorkerPlace[]; readonly host: Pick<BusHost, "subscriptions"> },
): void {
  registerGauges(registry, places);
  const registers = [registry];
  const lost = new Map<string, number>();
  const shared: Gauge = new Gauge({
    name: "tickwire_gateway_worker_shared_subscriptions",
    help: "Subscriptions of the bus, each of which serves every worker that wants it.",
    registers,
    collect: () => shared.set(host.subscriptions),
  });
  const counted = (kind: "episodes" | "messages", counter: Counter<"worker">): void => {
    for (const { index, hosted } of places) {
      const key = `${kind} ${index}`;
      const now = hosted?.overruns[kind] ?? 0;
      const before = lost.get(key) ?? 0;
      // A new thread begins at 0.
      counter.inc({ worker: index }, now >= before ? now - before : now);
      lost.set(key, now);
    }
  };
  const overruns: Counter<"worker"> = new Counter({
    name: "tickwire_gateway_worker_overruns_total",
    help: "Times that a worker did not read its ring in time and missed messages of the bus.",
    labelNames: ["worker"],
    registers,
    collect: () => counted("episodes", overruns),
  });
  const messages: Counter<"worker"> = new Counter({
    name: "tickwire_gateway_worker_overrun_messages_total",
    help: "Messages of the bus that a worker missed because its ring was full.",
    labelNames: ["worker"],
    registers,
    collect: () => counted("messages", messages),
  });
}

function registerGauges(registry: Registry, places: readonly WorkerPlace[]): void {
  const gauge = (name: string, help: string, valueOf: (place: WorkerPlace) => number): void => {
    const own: Gauge<"worker"> = new Gauge({
      name,
      help,
      labelNames: ["worker"],
      registers: [registry],
      collect: () => {
        for (const place of places) own.set({ worker: place.index }, valueOf(place));
      },
    });
  };
  gauge("tickwire_gateway_worker_up", "1 while the worker serves, else 0.", ({ state }) =>
    state === "serving" ? 1 : 0,
  );
  gauge(
    "tickwire_gateway_worker_sessions",
    "Sessions of each worker.",
    ({ status }) => status.sessions,
  );
  gauge(
    "tickwire_gateway_worker_busy_ratio",
    "Part of the time in which the worker's event loop was busy, since the last reading.",
    ({ busyRatio }) => busyRatio,
  );
  gauge(
    "tickwire_gateway_worker_ring_used_ratio",
    "Part of the worker's ring that it has not read yet; at 1 it misses messages.",
    ({ hosted }) => hosted?.ringUse ?? 0,
  );
}
