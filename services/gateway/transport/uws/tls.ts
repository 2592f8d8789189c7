import { readTlsFiles } from "../tls-files.ts";
import { TransportOptionsError } from "../transport-options.ts";
import type { TlsOptions } from "../transport.ts";
import type { TemplatedApp, UwsModule } from "../uws-module.ts";

/**
 * An app that serves with TLS (1.2 or newer) if there are options for it, else without.
 * @throws TransportOptionsError if the files cannot serve.
 */
export function createUwsApp(uws: UwsModule, tls: TlsOptions | undefined): TemplatedApp {
  if (tls === undefined) return uws.App();
  if (tls.clientCaFile !== undefined) {
    const message =
      "uWebSockets.js does not tell whose certificate a client has shown: " +
      "use the transport node, or a proxy that verifies it and gateway.access.certificateHeader";
    throw new TransportOptionsError("tls", message);
  }
  // uWebSockets.js reads the files itself and says only that they are no good.
  readTlsFiles(tls);
  return uws.SSLApp({
    cert_file_name: tls.certFile,
    key_file_name: tls.keyFile,
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
  });
}
