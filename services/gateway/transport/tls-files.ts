import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "./transport.ts";
import { TransportOptionsError } from "./transport-options.ts";

/** Texts of the files that TLS options name. */
type TlsFiles = { readonly cert: string; readonly key: string };

/**
 * Reads a certificate and its key and checks that they belong together, because uWebSockets.js says
 * of neither what is wrong.
 * @throws TransportOptionsError
 */
export function readTlsFiles({ certFile, keyFile, passphrase }: TlsOptions): TlsFiles {
  const files = { cert: readPem(certFile), key: readPem(keyFile) };
  try {
    createSecureContext(passphrase === undefined ? files : { ...files, passphrase });
  } catch (error) {
    const reason = (error as Error).message;
    const message = `${certFile} and ${keyFile} are not a certificate and its key: ${reason}`;
    throw new TransportOptionsError("tls", message, { cause: error });
  }
  return files;
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}`;
    throw new TransportOptionsError("tls", message, { cause: error });
  }
}
