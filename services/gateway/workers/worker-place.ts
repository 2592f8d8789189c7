import { MessageChannel, type MessagePort } from "node:worker_threads";
import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import type { BusHost, HostedThread } from "#bus/threads/bus-host.ts";
import { createRingMemory } from "#bus/threads/byte-ring.ts";
import { CallFailure, PortCalls } from "#bus/threads/port-calls.ts";
import { logCalls } from "#bus/threads/thread-log.ts";
import type { GatewayConfig } from "../config.ts";
import type { Together } from "./together.ts";
import { createFarewell, returned } from "./farewell.ts";
import { createHeartbeat, HeartbeatWatch } from "./heartbeat.ts";
import type { WorkerPorts, WorkerServes, WorkerStart, WorkerStatus } from "./worker-messages.ts";
import { WORKER_TABLE } from "./worker-table.ts";
import type { WorkerEvent, WorkerState } from "./worker-table.ts";

/** A thread that runs a worker. */
export type WorkerThread = {
  /** Calls the listener once, when the thread has ended; with what it ended for, if it says so. */
  onExit(listener: (reason: string) => void): void;
  /** Part of the time in which its event loop was busy, since this was asked last. */
  busyRatio(): number;
  /**
   * Ends the thread although its event loop does not turn, having cut all of its connections. It
   * exits soon, unless it is held up in native code.
   */
  cut(): void;
};

/** Starts a thread, which gets the ports. */
export type StartThread = (
  start: WorkerStart,
  ports: WorkerPorts & Readonly<Record<keyof WorkerPorts, MessagePort>>,
) => WorkerThread;

/** Where connections to the port of all workers come in. */
type Listener = {
  readonly address: string;
  readonly port: number;
  add(descriptor: unknown): void;
  remove(descriptor: unknown): void;
};

type WorkerPlaceParts = {
  readonly index: number;
  /** Of each worker. */
  readonly config: GatewayConfig;
  readonly bus: Bus;
  readonly log: StreamLog | undefined;
  readonly host: BusHost;
  readonly listener: Listener;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly startThread: StartThread;
  readonly together: Together;
  /** A thread of it serves. */
  readonly onServes: () => void;
  /** The thread hangs, and is ended. */
  readonly onHang: (silentMs: number) => void;
  /** A thread of it could not start, or has ended in another way than by being closed. */
  readonly onDeath: (reason: string) => void;
  /** No thread runs in it, and none will. */
  readonly onEnded: () => void;
};

/** A pause before a new thread starts: a random part of what doubles with each death in a row. */
const REST_MS_MIN = 100;
const REST_MS_MAX = 10_000;
/** A thread that served for so long has started well. */
const SERVED_US_MIN = 60_000_000;

/** A thread that hangs and has not ended after so long is held up in native code. */
const CUT_MS_MAX = 5_000;

/** What belongs to the thread that runs in a place. */
type Run = {
  readonly thread: WorkerThread;
  readonly hosted: HostedThread;
  readonly calls: PortCalls;
  readonly farewell: Int32Array;
  readonly heartbeat: Int32Array;
  /** What the listener hands connections on to. */
  readonly descriptors: Set<unknown>;
  readonly startedUs: number;
};

/** A place for a worker: when the thread in it dies, another is started. See WORKER_TABLE. */
export class WorkerPlace {
  readonly index: number;
  readonly #parts: WorkerPlaceParts;
  #state: WorkerState = "resting";
  #run: Run | undefined;
  #status: WorkerStatus = { sessions: 0, notReady: ["starting"] };
  #serves: WorkerServes | undefined;
  #deathsInRow = 0;
  #failure = "";
  #cancelRest: CancelTimer = () => {};
  #watch: HeartbeatWatch | undefined;
  #cancelCut: CancelTimer = () => {};
  #graceMs = 0;

  constructor(parts: WorkerPlaceParts) {
    this.index = parts.index;
    this.#parts = parts;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** What the thread said last of itself. */
  get status(): WorkerStatus {
    return this.#status;
  }

  /** What it told when it began to serve; undefined before. */
  get serves(): WorkerServes | undefined {
    return this.#serves;
  }

  /** The thread as the bus sees it. */
  get hosted(): HostedThread | undefined {
    return this.#run?.hosted;
  }

  get busyRatio(): number {
    return this.#run?.thread.busyRatio() ?? 0;
  }

  /** Starts the first thread. To be called once. */
  open(): void {
    this.#move("rested");
    this.#start();
  }

  /** Asks the thread. Rejects with CallFailure, also if there is no thread now. */
  call(method: string, argument?: unknown): Promise<unknown> {
    if (this.#run !== undefined && this.#state !== "hung") {
      return this.#run.calls.call(method, argument);
    }
    return Promise.reject(new CallFailure("thread-gone", "no thread runs in this place now"));
  }

  /** Closes the worker, whose clients get so long to leave. Idempotent. */
  close(graceMs: number): void {
    this.#graceMs = graceMs;
    const before = this.#state;
    this.#move("close");
    // How long it takes to leave is bounded by the process.
    this.#watch?.close();
    if (before === "serving") this.#closeThread();
    if (before === "resting") this.#end();
  }

  #move(event: WorkerEvent): void {
    const next = WORKER_TABLE[this.#state][event];
    assert(next !== "never", `${event} cannot come in the state ${this.#state} of a worker`);
    this.#state = next;
  }

  #start(): void {
    const { index, config, bus, log, host, listener, clock } = this.#parts;
    const memory = createRingMemory(config.workerRingBytes);
    const channels = {
      bus: new MessageChannel(),
      objects: new MessageChannel(),
      calls: new MessageChannel(),
    };
    const [farewell, heartbeat] = [createFarewell(), createHeartbeat()];
    const { kind: busKind, payloadBytesMax } = bus;
    const hosted = host.attach({
      memory,
      port: channels.bus.port1,
      objects: channels.objects.port1,
    });
    const calls = new PortCalls(channels.calls.port1, this.#answers());
    const thread = this.#parts.startThread(
      {
        index,
        config,
        address: listener.address,
        port: listener.port,
        bus: { busKind, payloadBytesMax, memory },
        log: log?.kind,
        farewell,
        heartbeat,
        together: this.#parts.together.memory,
      },
      { bus: channels.bus.port2, objects: channels.objects.port2, calls: channels.calls.port2 },
    );
    const startedUs = clock.monotonicUs();
    const words = { farewell, heartbeat };
    this.#run = { thread, hosted, calls, ...words, descriptors: new Set(), startedUs };
    thread.onExit((reason) => this.#onExit(reason));
  }

  /** What the thread asks and tells. */
  #answers(): ReadonlyMap<string, (argument: unknown) => unknown> {
    const { listener, log } = this.#parts;
    return new Map<string, (argument: unknown) => unknown>([
      ...logCalls(log),
      [
        "listener.add",
        (descriptor) => {
          this.#run?.descriptors.add(descriptor);
          listener.add(descriptor);
        },
      ],
      [
        "listener.remove",
        (descriptor) => {
          this.#run?.descriptors.delete(descriptor);
          listener.remove(descriptor);
        },
      ],
      ["leaving", () => this.#takeBack()],
      ["failed", (reason) => void (this.#failure = reason as string)],
      ["serves", (serves) => this.#onServes(serves as WorkerServes)],
      ["status", (status) => void (this.#status = status as WorkerStatus)],
    ]);
  }

  #onServes(serves: WorkerServes): void {
    this.#serves = serves;
    this.#status = serves;
    this.#move("serves");
    if (this.#state === "closing") {
      this.#closeThread();
      return;
    }
    this.#watchThread();
    this.#parts.onServes();
  }

  #watchThread(): void {
    const { config, clock } = this.#parts;
    const { workerSilentMsMax: silentMsMax } = config;
    const run = this.#run;
    if (silentMsMax === 0 || run === undefined) return;
    const onSilent = (): void => this.#onHang(run, silentMsMax);
    this.#watch = new HeartbeatWatch({ heartbeat: run.heartbeat, clock, silentMsMax, onSilent });
  }

  /**
   * Nobody is handed to the thread any more, and its clients come back to others. It could come
   * back by itself, but nobody can tell.
   */
  #onHang(run: Run, silentMs: number): void {
    const { clock, logger, index } = this.#parts;
    this.#move("hangs");
    this.#failure = `its event loop did not turn for ${silentMs} ms`;
    this.#status = { sessions: 0, notReady: ["worker-down"] };
    this.#takeBack();
    run.calls.close();
    this.#parts.onHang(silentMs);
    run.thread.cut();
    this.#cancelCut = clock.after(CUT_MS_MAX, () => {
      logger.error({ worker: index }, "a worker that hangs cannot be ended; restart the process");
    });
  }

  #closeThread(): void {
    // The thread ends with the answer under way, or before; its exit is what counts.
    this.call("close", this.#graceMs).catch((error: unknown) => {
      if (!(error instanceof CallFailure)) throw error;
    });
  }

  /** Nothing is handed on to the thread any more. */
  #takeBack(): void {
    const run = this.#run;
    if (run === undefined) return;
    for (const descriptor of run.descriptors) this.#parts.listener.remove(descriptor);
    run.descriptors.clear();
    returned(run.farewell);
  }

  #onExit(reason: string): void {
    const run = this.#run;
    assert(run !== undefined, "a thread that exits has run");
    this.#watch?.close();
    this.#cancelCut();
    this.#takeBack();
    run.hosted.detach();
    run.calls.close();
    this.#parts.together.reclaim(this.index);
    this.#run = undefined;
    this.#status = { sessions: 0, notReady: ["worker-down"] };
    this.#move("exited");
    if (this.#state === "ended") {
      this.#parts.onEnded();
      return;
    }
    const said = this.#failure === "" ? reason : this.#failure;
    this.#failure = "";
    this.#parts.onDeath(said);
    // The gateway may have been closed because of it.
    if (this.state === "resting") this.#rest(run.startedUs);
  }

  #rest(startedUs: number): void {
    const { clock, random, logger, index } = this.#parts;
    if (clock.monotonicUs() - startedUs >= SERVED_US_MIN) this.#deathsInRow = 0;
    const boundMs = Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** this.#deathsInRow);
    this.#deathsInRow += 1;
    const restMs = Math.ceil(boundMs * random());
    logger.warn({ worker: index, restMs }, "a worker is started again");
    this.#cancelRest = clock.after(restMs, () => {
      this.#move("rested");
      this.#start();
    });
  }

  #end(): void {
    this.#cancelRest();
    this.#parts.onEnded();
  }
}
