import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** What is counted about who may do what. */
export type AccessMetrics = ReturnType<typeof createAccessMetrics>;

/** Registers the metrics of access. @throws if the registry has them already. */
export function createAccessMetrics(registry: Registry) {
  const registers = [registry];
  return {
    accessDecisions: new Counter({
      name: "tickwire_gateway_access_decisions_total",
      help: "Clients that proved who they are or did not, by kind of proof and what came of it.",
      labelNames: ["kind", "outcome"],
      registers,
    }),
    accessLimited: new Counter({
      name: "tickwire_gateway_access_limited_total",
      help: "Refusals for a limit of one principal, by limit.",
      labelNames: ["limit"],
      registers,
    }),
    accessEnded: new Counter({
      name: "tickwire_gateway_access_ended_total",
      help: "Sessions closed, and cut down to what is left, because access ended, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    accessFileReads: new Counter({
      name: "tickwire_gateway_access_file_reads_total",
      help: "Times that the access file was read anew, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    keySetFetches: new Counter({
      name: "tickwire_gateway_token_key_reads_total",
      help: "Times that the keys of tokens were read, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    revocations: new Gauge({
      name: "tickwire_gateway_revocations",
      aggregator: "max",
      help: "Revocations that are remembered besides those of the access file.",
      registers,
    }),
    revocationMessages: new Counter({
      name: "tickwire_gateway_revocation_messages_total",
      help: "Messages about revocations that came over the bus, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: "tickwire_gateway_certificate_expiry_timestamp_seconds",
      aggregator: "min",
      help: "When the certificate that new connections get is not valid any more.",
      registers,
    }),
    certificateReads: new Counter({
      name: "tickwire_gateway_certificate_reads_total",
      help: "Times that the certificate was read anew, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
