import { Registry } from "prom-client";
import { SharedAccounts } from "#core/shared-accounts.ts";
import type { StateQuery } from "#core/state-page.ts";
import type { Clock, ThreadClock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { Tracing } from "#core/tracing.ts";
import type { HandlerErrorListener } from "#bus/delivery-queue.ts";
import { CallFailure, PortCalls } from "#bus/threads/port-calls.ts";
import { tracedBus } from "#bus/traced-bus.ts";
import { registerBusDrops } from "../bus-drops.ts";
import { ThreadBus } from "#bus/threads/thread-bus.ts";
import { ThreadLog } from "#bus/threads/thread-log.ts";
import { startGateway } from "../main.ts";
import type { GatewayOfThread } from "../gateway.ts";
import type { SharedListener } from "../transport/transport.ts";
import { awaitReturned } from "./farewell.ts";
import { beat } from "./heartbeat.ts";
import type { WorkerPage, WorkerPorts, WorkerStart, WorkerStatus } from "./worker-messages.ts";

/** What a worker is made of, in its own thread. */
type WorkerSideParts = {
  readonly start: WorkerStart;
  readonly ports: WorkerPorts;
  /** The next object that came through the port of objects. */
  readonly takeObject: () => unknown;
  readonly clock: ThreadClock;
  /** A clock that is the same in all threads, in nanoseconds. */
  readonly nowNs: () => bigint;
  readonly logger: Logger;
  readonly tracing: Tracing | undefined;
  readonly onHandlerError: HandlerErrorListener;
  readonly serverVersion: string;
  readonly dashboardFolder: string;
  /** The worker has closed: its thread is to end. */
  readonly onClosed: () => void;
};

/** How often it is looked whether there is news to tell of the worker. */
const STATUS_MS = 100;

/** A gateway in a thread of its own, among others that share its port. */
type WorkerSide = {
  /** To be called when the thread ends, for whatever reason. Blocks for a moment. */
  readonly leave: () => void;
};

/**
 * Runs a gateway in this thread, over the bus and behind the listener of the one that started it.
 * Undefined if it cannot start, which the other thread has been told.
 */
export async function runWorkerSide(parts: WorkerSideParts): Promise<WorkerSide | undefined> {
  const { start, ports, takeObject, clock, logger, tracing } = parts;
  const link = { ...start.bus, port: ports.bus, takeObject };
  const untraced = new ThreadBus({ link, clock, onHandlerError: parts.onHandlerError });
  const bus = tracing === undefined ? untraced : tracedBus(untraced, tracing);
  const registry = new Registry();
  registerBusDrops(registry, bus);
  let running: GatewayOfThread | undefined;
  const served = (): GatewayOfThread => {
    if (running === undefined) throw new CallFailure("starting", "the worker is starting");
    return running;
  };
  const close = async (graceMs: number): Promise<void> => {
    await running?.close({ graceMs });
    await bus.close();
    parts.onClosed();
  };
  const calls = new PortCalls(ports.calls, answersOf({ served, registry, close }));
  const { index, config } = start;
  const together = {
    addresses: new SharedAccounts(start.together.addresses, index),
    principals: new SharedAccounts(start.together.principals, index),
    polls: new SharedAccounts(start.together.polls, index),
    nowNs: parts.nowNs,
  };
  try {
    running = await startGateway({
      config,
      bus,
      clock,
      logger,
      tracing,
      registry,
      log: start.log && new ThreadLog(start.log, calls),
      thread: { index, listener: listenerOf(start, calls), together },
      serverVersion: parts.serverVersion,
      dashboardFolder: parts.dashboardFolder,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await calls.call("failed", reason).catch(ignoreGone);
    return undefined;
  }
  const gateway = running;
  void calls.call("serves", { ...statusOf(gateway), pages: pagesOf(gateway) }).catch(ignoreGone);
  tellStatus(gateway, calls, { clock, heartbeat: start.heartbeat });
  return {
    leave: () => {
      ports.calls.postMessage({ kind: "call", number: 0, method: "leaving", argument: undefined });
      awaitReturned(start.farewell);
      gateway.abandon();
    },
  };
}

/** What the other thread asks of a worker. */
function answersOf({
  served,
  registry,
  close,
}: {
  readonly served: () => GatewayOfThread;
  readonly registry: Registry;
  readonly close: (graceMs: number) => Promise<void>;
}): ReadonlyMap<string, (argument: unknown) => unknown> {
  return new Map<string, (argument: unknown) => unknown>([
    ["metrics", () => registry.getMetricsAsJSON()],
    ["summary", () => served().state.summary()],
    [
      "page",
      (argument) => {
        const { name, query } = argument as { name: string; query: StateQuery };
        return served().state.pages.get(name)?.answer(query);
      },
    ],
    [
      "administers",
      (argument) => {
        const { secret, remoteAddress } = argument as { secret: string; remoteAddress: string };
        return served().mayAdminister(secret, remoteAddress);
      },
    ],
    ["reload", () => served().reload()],
    ["close", (argument) => close(argument as number)],
  ]);
}

/** The listener of the other thread, as the transport of this one sees it. */
function listenerOf({ address, port }: WorkerStart, calls: PortCalls): SharedListener {
  return {
    address,
    port,
    add: (descriptor) => void calls.call("listener.add", descriptor).catch(ignoreGone),
    remove: async (descriptor) => {
      await calls.call("listener.remove", descriptor).catch(ignoreGone);
    },
  };
}

function statusOf(gateway: GatewayOfThread): WorkerStatus {
  return { sessions: gateway.sessions, notReady: gateway.notReadyReasons() };
}

function pagesOf(gateway: GatewayOfThread): WorkerPage[] {
  return Array.from(gateway.state.pages, ([name, { parameters, needed }]) => {
    return { name, parameters, needed };
  });
}

/** Says that the thread turns, and tells what has changed, for as long as it does. */
function tellStatus(
  gateway: GatewayOfThread,
  calls: PortCalls,
  { clock, heartbeat }: { readonly clock: Clock; readonly heartbeat: Int32Array },
): void {
  let told = JSON.stringify(statusOf(gateway));
  const look = (): void => {
    beat(heartbeat);
    const status = statusOf(gateway);
    const text = JSON.stringify(status);
    if (text !== told) {
      told = text;
      void calls.call("status", status).catch(ignoreGone);
    }
    clock.after(STATUS_MS, look);
  };
  clock.after(STATUS_MS, look);
}

/** Where the other thread has let go of the worker, there is nobody to be told. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof CallFailure)) throw error;
}
