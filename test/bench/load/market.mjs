// The simulated market behind a port of this process, for ingestors of other processes.
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { createSimulatedVenue } from "#ingest/simulated/simulated-dialer.ts";
import { SIMULATED_MARKET_DEFAULTS } from "#ingest/simulated/simulated-settings.ts";
import { SystemClock } from "#runtime/system-clock.ts";

/**
 * Starts it with these settings in place of its own. `endpoints` is what the venue's entry in the
 * configuration takes; `seen` is what the market knows of those who read it.
 */
export async function serveMarket(settings) {
  const seen = { connections: 0, unreadBytesMax: 0, skippedSteps: 0 };
  const clock = new SystemClock();
  const venue = createSimulatedVenue({ ...SIMULATED_MARKET_DEFAULTS, ...settings, clock });
  const http = createServer((request, response) => {
    const take = ({ status, body }) => response.writeHead(status).end(body);
    const fail = () => response.writeHead(502).end();
    venue.rest.get({ url: `http://market${request.url ?? ""}`, weight: 1 }, take, fail);
  }).listen(0, "127.0.0.1");
  await once(http, "listening");
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket) => {
    const handlers = {
      onOpen() {},
      onFrame: (frame) => socket.send(frame),
      onClose: () => socket.close(),
    };
    const link = venue.dialer.dial("", handlers, { frameBytesMax: Infinity });
    seen.connections += 1;
    socket.on("message", (data) => link.send(Buffer.from(data).toString()));
    socket.on("error", () => {});
    socket.on("close", () => link.close());
    const look = setInterval(() => {
      seen.unreadBytesMax = Math.max(seen.unreadBytesMax, socket.bufferedAmount);
      seen.skippedSteps = venue.skippedSteps;
    }, 100);
    socket.on("close", () => clearInterval(look));
  });
  const { port } = http.address();
  const endpoints = { webSocket: `ws://127.0.0.1:${port}/`, rest: `http://127.0.0.1:${port}` };
  const stop = () => {
    http.close();
    http.closeAllConnections();
    // Sockets that were upgraded are no connections of the HTTP server any more.
    for (const socket of server.clients) socket.terminate();
  };
  return { endpoints, seen, stop };
}
