import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { SystemClock } from "#runtime/system-clock.ts";
import { HttpStand } from "#test/support/http-stand.ts";
import { ingestConfig } from "./config.ts";
import { openVenueNetwork } from "./venue-network.ts";

const stand = new HttpStand();

afterEach(() => stand.stop());

test("the headers that a venue's answers depend on go with handshakes and with requests", async () => {
  const { server, port } = await stand.serve((request, response) =>
    response.end(String(request.headers["x-gate-size-decimal"])),
  );
  const webSockets = new WebSocketServer({ server });
  stand.onStop(() => webSockets.close());
  const accepted = once(webSockets, "connection");
  const [venue] = ingestConfig({ venues: [{ id: "gateio-futures" }] }).venues;
  if (venue === undefined) throw new Error("no venue is configured");
  const network = openVenueNetwork(venue, new SystemClock());
  stand.onStop(() => network.close());
  const body = new Promise<string>((resolve) => {
    const request = { url: `http://127.0.0.1:${port}/list`, weight: 1 };
    network.restClient.get(request, (answer) => resolve(answer.body), resolve);
  });
  const handlers = { onOpen: () => {}, onFrame: () => {}, onClose: () => {} };
  const socket = network.dialer.dial(`ws://127.0.0.1:${port}`, handlers, { frameBytesMax: 1000 });
  stand.onStop(() => socket.terminate());
  const [, request] = (await accepted) as [unknown, IncomingMessage];
  expect([await body, request.headers["x-gate-size-decimal"]]).toEqual(["1", "1"]);
});
