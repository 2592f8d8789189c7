import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { AccessMetrics } from "../access/access-metrics.ts";
import { FileWatch } from "../access/file-watch.ts";
import { certificateExpiryMs } from "./tls-files.ts";
import { TransportOptionsError } from "./transport-options.ts";
import type { TlsOptions, Transport } from "./transport.ts";

type TlsReloadParts = {
  readonly tls: TlsOptions;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<AccessMetrics, "certificateExpiry" | "certificateReads">;
};

/**
 * Notices that the files of a certificate have changed and has the transport take them for new
 * connections. Connections that are open stay as they are. A pair that does not fit, because one of
 * the files is still to be written, changes nothing: it is tried again when they change.
 */
export class TlsReload {
  readonly #parts: TlsReloadParts;
  readonly #watch: FileWatch;
  #transport: Transport | undefined;

  constructor(parts: TlsReloadParts) {
    this.#parts = parts;
    const { tls, clock, everyMs } = parts;
    const paths = [tls.certFile, tls.keyFile, tls.clientCaFile ?? ""].filter((path) => path !== "");
    this.#watch = new FileWatch({ paths, clock, everyMs, onChange: () => this.reload() });
  }

  /** Looks at the files from now on; to be called before the transport reads them. */
  async start(): Promise<void> {
    await this.#watch.start();
  }

  /** The transport serves with what the files held. */
  serves(transport: Transport): void {
    this.#transport = transport;
    this.#noteExpiry();
  }

  /** Takes the files as they are now. */
  reload(): void {
    const { tls, logger, metrics } = this.#parts;
    const { certFile } = tls;
    try {
      this.#transport?.reloadTls();
    } catch (error) {
      if (!(error instanceof TransportOptionsError)) throw error;
      metrics.certificateReads.inc({ outcome: "broken" });
      const message = "the certificate cannot be used; the one that was read last stays";
      logger.error({ certFile, reason: error.message }, message);
      return;
    }
    metrics.certificateReads.inc({ outcome: "read" });
    this.#noteExpiry();
    logger.info({ certFile }, "new connections get the certificate that was read now");
  }

  /** Idempotent. */
  close(): void {
    this.#watch.close();
  }

  #noteExpiry(): void {
    const { tls, metrics } = this.#parts;
    metrics.certificateExpiry.set(certificateExpiryMs(tls) / 1_000);
  }
}
