import { expect, test } from "vitest";
import { settle } from "../../test/fake-gateway.ts";
import { connectFake } from "../../test/fake-session.ts";

test("a WebSocket that breaks time and again is taken again, if it carried something", async () => {
  const { client, gateway, clock } = await connectFake({ transport: "auto" });
  for (let breaks = 0; breaks < 3; breaks += 1) {
    const { socket } = gateway;
    socket.deliverMessage({ pong: { nonce: 1 } });
    socket.closeByServer(1006);
    clock.advanceTo(clock.nextUs ?? 0);
    await settle();
  }
  expect([client.state, client.transport]).toEqual(["connected", "websocket"]);
  expect(gateway.sockets).toHaveLength(4);
});
