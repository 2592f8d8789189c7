import { createServer } from "node:http";
import type { Server, ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { readTlsFiles } from "../tls-files.ts";
import type { TlsOptions } from "../transport.ts";

/**
 * A server that serves with TLS (1.2 or newer) if there are options for it, else without.
 * @throws TransportOptionsError if the files cannot serve.
 */
export function createNodeServer(options: ServerOptions, tls: TlsOptions | undefined): Server {
  if (tls === undefined) return createServer(options);
  const { passphrase } = tls;
  return createTlsServer({
    ...options,
    ...readTlsFiles(tls),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}
