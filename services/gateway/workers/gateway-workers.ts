import type { Registry } from "prom-client";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { ServiceState } from "#core/state-page.ts";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import { BusHost } from "#bus/threads/bus-host.ts";
import { CallFailure } from "#bus/threads/port-calls.ts";
import type { GatewayConfig } from "../config.ts";
import type { RunningGateway } from "../gateway.ts";
import { tlsOptions } from "../main.ts";
import { UwsAcceptor } from "../transport/uws/acceptor.ts";
import { Together } from "./together.ts";
import { joinedReasons } from "./joined-summary.ts";
import { MetricSums } from "./metric-sums.ts";
import { workerConfig } from "./worker-config.ts";
import { createWorkerMetrics, registerWorkerUse } from "./worker-metrics.ts";
import type { WorkerMetricSet } from "./worker-metrics.ts";
import { WorkerPlace, type StartThread } from "./worker-place.ts";
import { WorkerQuestions } from "./worker-questions.ts";
import { WorkerState } from "./worker-state.ts";

/** What the workers of a gateway have in common. It owns none of these. */
type GatewayWorkersOptions = {
  readonly config: GatewayConfig;
  readonly bus: Bus;
  readonly log?: StreamLog | undefined;
  readonly clock: Clock;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
  readonly logger: Logger;
  /** Gets the metrics of this thread; those of the workers are in `metricsOfThreads`. */
  readonly registry: Registry;
  readonly startThread: StartThread;
};

/**
 * Runs a gateway as `config.workers` threads on one port. Rejects with what kept any of them from
 * serving.
 */
export async function startGatewayWorkers(options: GatewayWorkersOptions): Promise<RunningGateway> {
  const { config } = options;
  const tls = tlsOptions(config);
  const { host, port } = config;
  const acceptor = await UwsAcceptor.listen({ host, port, ...(tls === undefined ? {} : { tls }) });
  const workers = new GatewayWorkers(acceptor, options);
  await workers.open();
  return workers;
}

class GatewayWorkers implements RunningGateway {
  readonly transportKind = "uws";
  readonly state: ServiceState;
  readonly #options: GatewayWorkersOptions;
  readonly #acceptor: UwsAcceptor;
  readonly #host: BusHost;
  readonly #places: readonly WorkerPlace[];
  readonly #sums: MetricSums;
  readonly #metrics: WorkerMetricSet;
  /** Until every worker has served once: what the start comes to. */
  #starting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #descriptors = 0;
  #leaving = false;
  #onEnded: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(acceptor: UwsAcceptor, options: GatewayWorkersOptions) {
    const { config, bus, log, clock, logger, startThread, random = Math.random } = options;
    this.#options = options;
    this.#acceptor = acceptor;
    this.#metrics = createWorkerMetrics(options.registry);
    this.#host = new BusHost({
      bus,
      clock,
      onOverrun: (thread) => this.#onOverrun(this.#places.find(({ hosted }) => hosted === thread)),
    });
    const listener = {
      address: acceptor.address,
      port: acceptor.port,
      add: (descriptor: unknown) => this.#addDescriptor(descriptor),
      remove: (descriptor: unknown) => this.#removeDescriptor(descriptor),
    };
    const together = new Together(config, random);
    const own = workerConfig(config, config.workers);
    this.#places = Array.from({ length: config.workers }, (_, index) => {
      return new WorkerPlace({
        index,
        config: own,
        bus,
        log,
        host: this.#host,
        listener,
        clock,
        random,
        logger,
        startThread,
        together,
        onServes: () => this.#onServes(index),
        onHang: (silentMs) => this.#onHang(index, silentMs),
        onDeath: (reason) => this.#onDeath(index, reason),
        onEnded: () => this.#onPlaceEnded(),
      });
    });
    const questions = new WorkerQuestions({ clock, metrics: this.#metrics });
    this.#sums = new MetricSums(this.#places, questions);
    this.state = new WorkerState(this.#places, questions);
    registerWorkerUse(options.registry, { places: this.#places, host: this.#host });
  }

  /** Resolves when all workers serve. Rejects, with all of them ended, if one cannot. */
  async open(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
    for (const place of this.#places) place.open();
    try {
      await started;
    } catch (error) {
      await this.close({ graceMs: 0 });
      throw error;
    }
    const { config, logger } = this.#options;
    const { address, port } = this;
    const fields = { host: config.host, address, port, workers: config.workers };
    logger.info(fields, "gateway listens, with workers");
  }

  get address(): string {
    return this.#acceptor.address;
  }

  get port(): number {
    return this.#acceptor.port;
  }

  get sessions(): number {
    return this.#places.reduce((sum, { status }) => sum + status.sessions, 0);
  }

  notReadyReasons(): readonly string[] {
    if (this.#leaving) return ["draining"];
    return joinedReasons(
      this.#places.map(({ state, status }) => ({ state, notReady: status.notReady })),
    );
  }

  async mayAdminister(secret: string, remoteAddress: string): Promise<boolean> {
    for (const place of this.#places) {
      try {
        return (await place.call("administers", { secret, remoteAddress })) === true;
      } catch (error) {
        // Another one may answer.
        if (!(error instanceof CallFailure)) throw error;
      }
    }
    return false;
  }

  async reload(): Promise<void> {
    await Promise.all(
      this.#places.map(async (place) => {
        await place.call("reload").catch((error: unknown) => {
          // A worker that is not there reads everything when it starts.
          if (!(error instanceof CallFailure)) throw error;
        });
      }),
    );
  }

  metricsOfThreads(): Promise<string> {
    return this.#sums.text();
  }

  close(options: { readonly graceMs: number }): Promise<void> {
    this.#closing ??= this.#shutDown(options.graceMs);
    return this.#closing;
  }

  async #shutDown(graceMs: number): Promise<void> {
    this.#leaving = true;
    const ended = new Promise<void>((resolve) => {
      this.#onEnded = resolve;
    });
    for (const place of this.#places) place.close(graceMs);
    this.#onPlaceEnded();
    await ended;
    this.#host.close();
    this.#acceptor.stopListening();
    this.#acceptor.close();
    this.#options.logger.info({}, "all workers of the gateway have closed");
  }

  #addDescriptor(descriptor: unknown): void {
    this.#descriptors += 1;
    this.#acceptor.add(descriptor);
  }

  #removeDescriptor(descriptor: unknown): void {
    this.#acceptor.remove(descriptor);
    this.#descriptors -= 1;
    // Nobody is left to be handed anything, and nobody will come.
    if (this.#descriptors === 0 && this.#leaving) this.#acceptor.stopListening();
  }

  #onServes(index: number): void {
    this.#metrics.workerStarts.inc();
    this.#options.logger.info({ worker: index }, "a worker serves");
    if (this.#places.every(({ serves }) => serves !== undefined)) this.#starting?.resolve();
  }

  #onHang(worker: number, silentMs: number): void {
    this.#metrics.workerHangs.inc();
    this.#options.logger.error({ worker, silentMs }, "a worker hangs, and is ended");
  }

  #onDeath(index: number, reason: string): void {
    this.#metrics.workerDeaths.inc();
    this.#options.logger.error({ worker: index, reason }, "a worker has died");
    this.#sums.keep(index);
    if (this.#places[index]?.serves !== undefined) return;
    // The gateway does not start: none of them is tried again.
    for (const place of this.#places) place.close(0);
    this.#starting?.reject(new Error(reason));
  }

  #onPlaceEnded(): void {
    if (this.#places.every(({ state }) => state === "ended")) this.#onEnded?.();
  }

  #onOverrun(place: WorkerPlace | undefined): void {
    const worker = place?.index ?? -1;
    const message = "a worker does not read its ring in time, so it misses messages of the bus";
    this.#options.logger.warn({ worker }, message);
  }
}
