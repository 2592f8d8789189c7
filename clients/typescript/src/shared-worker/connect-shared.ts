import type { Client, ConnectOptions } from "../client.ts";
import { ConnectionError } from "../errors.ts";
import { connect } from "../index.ts";
import { createClient } from "../late-client.ts";
import type { PortLike, SharedOptions, TabMessage } from "./port-messages.ts";
import { SharedSession } from "./shared-session.ts";

/**
 * Options of a client over a shared worker: those of `connect()` that can be told to a worker, and
 * where its script is.
 */
export type SharedConnectOptions = Omit<
  ConnectOptions,
  "webSocket" | "clock" | "random" | "waitForFirstConnect"
> & {
  /**
   * Where the page has the worker's script, `@tickwire/client/shared-worker/script`: with Vite,
   * what importing that with `?worker&url` behind it gives.
   */
  readonly workerUrl: string | URL;
};

type SharedWorkerLike = {
  readonly port: PortLike<TabMessage>;
  onerror: ((event: unknown) => void) | null;
};

type SharedWorkerHost = {
  readonly SharedWorker?: new (
    url: string | URL,
    options: { readonly name: string; readonly type: "module" },
  ) => SharedWorkerLike;
  readonly navigator?: {
    readonly locks?: {
      request(name: string, holder: () => Promise<void>): Promise<void>;
    };
  };
  readonly crypto?: { randomUUID?(): string };
  addEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
  removeEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
};

const host = globalThis as unknown as SharedWorkerHost;

/**
 * As `connect()`, over one connection that all tabs share which name the same address and options.
 * Where there is no SharedWorker, or its script cannot be loaded, the client has a connection of
 * its own. Resolves when the gateway has welcomed the worker, rejects with ConnectionError.
 */
export async function connectShared(url: string, options: SharedConnectOptions): Promise<Client> {
  const { workerUrl, signal, interceptors: _kept, ...told } = options;
  const { SharedWorker } = host;
  // A function cannot be told to a worker, and a token is the program's to renew.
  const isOwn = SharedWorker === undefined || typeof options.token === "function";
  if (isOwn) return connect(url, options);
  const name = `tickwire ${JSON.stringify([url, told])}`;
  const worker = new SharedWorker(workerUrl, { name, type: "module" });
  // It may fail before anything else here is ready.
  const failed = new Promise<void>((resolve) => {
    worker.onerror = () => resolve();
  });
  const lock = await holdLock();
  const session = new SharedSession(worker.port, {
    url,
    options: told as SharedOptions,
    lockName: lock.name,
    onClose: lock.release,
  });
  let client: Client;
  try {
    client = createClient(session, options);
  } catch (error) {
    session.close();
    throw error;
  }
  // A page that is left says so; one that only rests, to be shown again, keeps what it has.
  const onHide = ({ persisted }: { persisted?: boolean }) => {
    if (persisted !== true) client.close();
  };
  host.addEventListener?.("pagehide", onHide);
  const outcome = await firstState(session, failed, signal);
  if (outcome === "connected") return client;
  host.removeEventListener?.("pagehide", onHide);
  client.close();
  if (outcome === "no-worker") return connect(url, options);
  throw outcome;
}

type Outcome = "connected" | "no-worker" | ConnectionError;

/** How connecting ended. */
function firstState(
  session: SharedSession,
  failed: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      stop();
      signal?.removeEventListener("abort", abort);
      resolve(outcome);
    };
    const abort = () => {
      const message = "connecting was given up by its signal";
      settle(new ConnectionError("client-closed", message, { cause: signal?.reason }));
    };
    const stop = session.onState((state, { error }) => {
      if (state === "connected") settle("connected");
      else if (error !== undefined) settle(error);
    });
    void failed.then(() => settle("no-worker"));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
  });
}

type Lock = { readonly name: string | undefined; readonly release: () => void };

/** A lock that this tab holds as long as it lives: whoever waits for it knows when that ends. */
async function holdLock(): Promise<Lock> {
  const locks = host.navigator?.locks;
  const id = host.crypto?.randomUUID?.();
  // Without them, as on a page that is not secure, a tab says when it goes, and no more is known.
  if (locks === undefined || id === undefined) return { name: undefined, release: () => undefined };
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const name = `tickwire-tab-${id}`;
  return new Promise((resolve) => {
    const hold = () => {
      resolve({ name, release });
      return held;
    };
    // A host that refuses it leaves the tab without one.
    locks.request(name, hold).catch(() => resolve({ name: undefined, release }));
  });
}
