import { createNodeTransport } from "#gateway/transport/node/transport.ts";
import { createUwsTransport } from "#gateway/transport/uws/transport.ts";
import { loadUws, uwsPackageFor } from "#gateway/transport/uws-module.ts";

/** Why uWebSockets.js cannot be loaded here; undefined where it can. */
async function reasonAgainstUws(): Promise<string | undefined> {
  try {
    await loadUws();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}

const reason = await reasonAgainstUws();
if (reason !== undefined) {
  process.stderr.write(
    `skipped: tests over uWebSockets.js, which does not load here (${reason})\n`,
  );
}

/**
 * Whether the native module must load here. The builds for Node 24 and later need a C library that
 * Debian 12 does not have yet, and the gateway serves without them there.
 */
export const UWS_IS_EXPECTED =
  reason === undefined || uwsPackageFor(process.versions.node) === "uWebSockets.js";

/** The transports that tests run over: both, or Node's own where the native module cannot load. */
export const TRANSPORTS: readonly ("uws" | "node")[] = UWS_IS_EXPECTED ? ["uws", "node"] : ["node"];

const FACTORIES = { uws: createUwsTransport, node: createNodeTransport };

/** The same with what creates each. */
export const TRANSPORT_FACTORIES = TRANSPORTS.map((name) => [name, FACTORIES[name]] as const);
