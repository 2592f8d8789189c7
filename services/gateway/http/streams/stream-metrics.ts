import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** Registers the metrics of sessions over HTTP. @throws if the registry has them already. */
export function createStreamMetrics(registry: Registry) {
  const registers = [registry];
  return {
    httpSessionsTotal: new Counter({
      name: "tickwire_gateway_http_sessions_total",
      help: "Sessions that HTTP carries: sse, poll, and frames or polled-frames of the binary protocol.",
      labelNames: ["kind"],
      registers,
    }),
    pollSessions: new Gauge({
      name: "tickwire_gateway_poll_sessions",
      help: "Sessions of long polling that are open or may still be polled.",
      registers,
    }),
    pollAnswers: new Counter({
      name: "tickwire_gateway_poll_answers_total",
      help: "Answers of long polls: with news, repeated because the client lost them, or nothing.",
      labelNames: ["kind"],
      registers,
    }),
    sessionRelays: new Counter({
      name: "tickwire_gateway_session_relays_total",
      help: "Requests for sessions that this gateway does not have, asked over the bus, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    toldBatches: new Counter({
      name: "tickwire_gateway_told_batches_total",
      help: "Batches as JSON for streams and polls: made, or shared with a session that has made it.",
      labelNames: ["outcome"],
      registers,
    }),
    cursorsTooLong: new Counter({
      name: "tickwire_gateway_stream_cursors_too_long_total",
      help: "Event streams that carry no ids any more, because their cursor exceeds 2,048 characters.",
      registers,
    }),
  };
}
