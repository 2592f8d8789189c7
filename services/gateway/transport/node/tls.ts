import { createServer } from "node:http";
import type { Server, ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as TlsServer } from "node:https";
import { readTlsFiles } from "../tls-files.ts";
import type { TlsOptions } from "../transport.ts";

/** A server, and how it takes the files of its certificate anew. */
type NodeServer = {
  readonly server: Server;
  /** @throws TransportOptionsError if the files cannot serve. */
  readonly reloadTls: () => void;
};

/**
 * A server that serves with TLS (1.2 or newer) if there are options for it, else without.
 * @throws TransportOptionsError if the files cannot serve.
 */
export function createNodeServer(options: ServerOptions, tls: TlsOptions | undefined): NodeServer {
  if (tls === undefined) return { server: createServer(options), reloadTls: () => undefined };
  const { clientCaFile, clientCertificates = "required" } = tls;
  const asks = { requestCert: true, rejectUnauthorized: clientCertificates === "required" };
  const server: TlsServer = createTlsServer({
    ...options,
    ...(clientCaFile === undefined ? {} : asks),
    ...secretsOf(tls),
  });
  return { server, reloadTls: () => server.setSecureContext(secretsOf(tls)) };
}

function secretsOf(tls: TlsOptions) {
  const { passphrase } = tls;
  return { ...readTlsFiles(tls), ...(passphrase === undefined ? {} : { passphrase }) };
}
