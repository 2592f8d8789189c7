import type * as Uws from "uWebSockets.js";

export type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket,
  us_socket_context_t,
  WebSocket,
} from "uWebSockets.js";

/** What uWebSockets.js exports. Both lines that are installed have what is used of it. */
export type UwsModule = typeof Uws;

/**
 * The package whose builds are for this Node version: the older line below 24, the newer from 24
 * on. The version decides and nothing is tried in turn, because the newer wrapper would find the
 * older line's binary beside it and load that.
 */
export function uwsPackageFor(nodeVersion: string): "uWebSockets.js" | "uWebSockets.js-node24" {
  return Number.parseInt(nodeVersion, 10) >= 24 ? "uWebSockets.js-node24" : "uWebSockets.js";
}

/** Loads the build for this Node version. Rejects where there is none for this platform. */
export async function loadUws(): Promise<UwsModule> {
  const loaded: unknown =
    uwsPackageFor(process.versions.node) === "uWebSockets.js"
      ? await import("uWebSockets.js")
      : await import("uWebSockets.js-node24");
  return (loaded as { default: UwsModule }).default;
}

/**
 * The same for a gateway of several workers, which nothing else can serve: where there is no build
 * for this platform it rejects with what an operator can do.
 */
export async function loadUwsForWorkers(load = loadUws): Promise<UwsModule> {
  try {
    return await load();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const reason = text.split("\n").findLast((line) => line.trim() !== "") ?? "";
    throw new Error(
      "several workers need uWebSockets.js, which does not load here: set gateway.workers to 1, " +
        `or use Node 20 or 22 (${reason.trim()})`,
      { cause: error },
    );
  }
}
