import { BroadcastChannel } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";
import { Registry } from "prom-client";
import { WebSocket } from "ws";
import { MemoryBus } from "#bus/memory-bus.ts";
import { startGatewayThread } from "#cli/process/gateway-threads.ts";
import { gatewayConfig } from "#gateway/config.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { startGatewayWorkers } from "#gateway/workers/gateway-workers.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { FakeIngestor } from "#test/conformance/gateway-fake-ingestor.ts";
import { RawClient } from "#test/conformance/gateway-raw-client.ts";

const PROGRAM = new URL("./gateway-thread.mjs", import.meta.url);
const PATIENCE_MS = 40_000;
const LOOK_MS = 5;

type Fault = "exit" | "throw" | "loop";

/** A gateway of two workers with a fake ingestor, on one bus in memory. */
export class WorkerRig {
  readonly clock = new SystemClock();
  readonly registry = new Registry();
  readonly bus = new MemoryBus({ clock: this.clock });
  readonly ingestor = new FakeIngestor(this.bus, this.clock, ["BTC-USDT", "ETH-USDT"]);
  readonly logs: string[] = [];
  gateway!: RunningGateway;
  readonly #faults = new BroadcastChannel("tickwire-test-faults");
  readonly #clients: RawClient[] = [];
  readonly #sockets: WebSocket[] = [];
  #hasTls = false;

  static async start(config: Parameters<typeof gatewayConfig>[0] = {}): Promise<WorkerRig> {
    const rig = new WorkerRig();
    const log = (_fields: object, message: string): void => void rig.logs.push(message);
    const own = {
      workerSilentMsMax: 0,
      port: 0,
      workers: 2,
      lameDuckMs: 0,
      drainWindowMs: 0,
      discoveryMs: 0,
    };
    rig.#hasTls = config.tls !== undefined;
    rig.ingestor.announce();
    rig.gateway = await startGatewayWorkers({
      config: gatewayConfig({ ...own, ...config }),
      bus: rig.bus,
      clock: rig.clock,
      random: () => 0,
      logger: { debug: log, info: log, warn: log, error: log },
      registry: rig.registry,
      startThread: startGatewayThread("silent", { program: PROGRAM, execArgv: [] }),
    });
    rig.ingestor.announce();
    await rig.until(async () => rig.gateway.notReadyReasons().length === 0);
    return rig;
  }

  /** Tries until it holds. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > endMs) throw new Error(`it never came: ${condition.toString()}`);
      await sleep(LOOK_MS);
    }
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.open(this.gateway.port);
    this.#clients.push(client);
    return client;
  }

  /** The status that a WebSocket is answered with; one that opens stays open. */
  async tryToConnect(): Promise<number> {
    const scheme = this.#hasTls ? "wss" : "ws";
    const url = `${scheme}://127.0.0.1:${this.gateway.port}/v1/ws`;
    const socket = new WebSocket(url, "tickwire.v1", { rejectUnauthorized: false });
    return new Promise((resolve, reject) => {
      socket.once("open", () => {
        this.#sockets.push(socket);
        resolve(101);
      });
      socket.once("unexpected-response", (_request, response) => {
        socket.terminate();
        resolve(response.statusCode ?? 0);
      });
      socket.once("error", reject);
    });
  }

  /** Sockets of all workers, as they count against the limit. */
  async connectionsCounted(): Promise<number> {
    const { limits } = (await this.gateway.state.summary()) as {
      readonly limits: readonly { readonly limit: string; readonly used: number }[];
    };
    return limits.find(({ limit }) => limit === "connectionsMax")?.used ?? 0;
  }

  /** Clients that are served by one worker and by the other, one of each. */
  async clientOfEach(): Promise<[RawClient, RawClient]> {
    const found: (RawClient | undefined)[] = [undefined, undefined];
    while (found.includes(undefined)) {
      const client = await this.client();
      const id =
        client.messages.find(({ message }) => message === "welcome")?.welcome?.sessionId ?? "";
      // The id says which thread gave it.
      const [, worker = ""] = /\.(\d+)-/.exec(id) ?? [];
      if (found[Number(worker)] === undefined) found[Number(worker)] = client;
      else client.close();
    }
    return found as [RawClient, RawClient];
  }

  /** Sessions of each worker, as its own list has them. */
  async sessionsOf(): Promise<number[]> {
    const page = this.gateway.state.pages.get("sessions");
    const answer = await page?.answer({ limit: 500, after: "", parameters: new Map() });
    const rows = (answer?.rows ?? []) as { readonly worker: number }[];
    return [0, 1].map((worker) => rows.filter((row) => row.worker === worker).length);
  }

  fail(worker: number, fault: Fault): void {
    this.#faults.postMessage({ worker, fault });
  }

  /** Holds a worker up until the result is called. */
  async block(worker: number): Promise<() => void> {
    const word = new Int32Array(new SharedArrayBuffer(4));
    this.#faults.postMessage({ worker, fault: "block", word });
    await this.until(() => Atomics.load(word, 0) === 1);
    return () => {
      Atomics.store(word, 0, 2);
      Atomics.notify(word, 0);
    };
  }

  /** The sum of a metric over its labels, here and in the workers. */
  async metric(name: string): Promise<number> {
    const text = `${await this.registry.metrics()}\n${await this.gateway.metricsOfThreads()}`;
    const values = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"));
    return Array.from(values, ([, value]) => Number(value)).reduce((sum, one) => sum + one, 0);
  }

  async stop(): Promise<void> {
    this.#faults.close();
    for (const client of this.#clients) client.close();
    for (const socket of this.#sockets) socket.terminate();
    await this.gateway.close({ graceMs: 5_000 });
    await this.bus.close();
  }
}
