import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { createSimulatedVenue } from "#ingest/simulated/simulated-dialer.ts";
import { SIMULATED_MARKET_DEFAULTS } from "#ingest/simulated/simulated-settings.ts";
import type { SimulatedSettings } from "#ingest/simulated/simulated-settings.ts";
import { SystemClock } from "#runtime/system-clock.ts";

/** A simulated venue that several processes reach, as they would reach a real one. */
export type MarketServer = {
  /** What an ingestor has to set for it. */
  readonly endpoints: { readonly webSocket: string; readonly rest: string };
  close(): Promise<void>;
};

/** Serves one market over real sockets on the loopback interface. */
export async function startMarketServer(
  settings: Partial<SimulatedSettings> = {},
): Promise<MarketServer> {
  const venue = createSimulatedVenue({
    ...SIMULATED_MARKET_DEFAULTS,
    ...settings,
    clock: new SystemClock(),
  });
  const http = createServer((request, response) => {
    const fail = (): void => void response.writeHead(502).end();
    const url = `http://market${request.url ?? ""}`;
    venue.rest.get(
      { url, weight: 1 },
      ({ status, body }) => response.writeHead(status).end(body),
      fail,
    );
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => {
    const handlers = {
      onOpen: () => undefined,
      onFrame: (frame: string | Uint8Array) => socket.send(frame),
      onClose: () => socket.close(),
    };
    const link = venue.dialer.dial("", handlers, { frameBytesMax: Infinity });
    socket.on("message", (data) => link.send((data as Buffer).toString()));
    socket.on("close", () => link.close());
    socket.on("error", () => link.terminate());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    endpoints: { webSocket: `ws://127.0.0.1:${port}/stream`, rest: `http://127.0.0.1:${port}` },
    async close() {
      venue.close();
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
