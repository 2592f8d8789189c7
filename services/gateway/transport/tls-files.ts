import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "./transport.ts";
import { TransportOptionsError } from "./transport-options.ts";

/** Texts of the files that TLS options name. */
type TlsFiles = { readonly cert: string; readonly key: string; readonly ca?: string };

/**
 * Reads a certificate and its key and checks that they belong together, because uWebSockets.js says
 * of neither what is wrong.
 * @throws TransportOptionsError
 */
export function readTlsFiles(options: TlsOptions): TlsFiles {
  const { certFile, keyFile, passphrase, clientCaFile } = options;
  const pair = { cert: readPem(certFile), key: readPem(keyFile) };
  const files = clientCaFile === undefined ? pair : { ...pair, ca: readPem(clientCaFile) };
  try {
    createSecureContext(passphrase === undefined ? files : { ...files, passphrase });
  } catch (error) {
    const reason = (error as Error).message;
    const message = `${certFile} and ${keyFile} are not a certificate and its key: ${reason}`;
    throw new TransportOptionsError("tls", message, { cause: error });
  }
  return files;
}

/** When the certificate of the file is not valid any more, in milliseconds since 1970. */
export function certificateExpiryMs({ certFile }: TlsOptions): number {
  return Date.parse(new X509Certificate(readPem(certFile)).validTo);
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}`;
    throw new TransportOptionsError("tls", message, { cause: error });
  }
}
