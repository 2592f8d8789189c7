import { ManualClock } from "../../../test/support/manual-clock.ts";
import { createStreamsConnect } from "../src/streams-connect.ts";
import type { Client, ConnectOptions } from "../src/client.ts";
import { createClient } from "../src/eager-client.ts";
import { FakeGateway, settle } from "./fake-gateway.ts";

/** A client connected to a gateway in memory, with its time in the test's hands. */
export type FakeSession = {
  readonly gateway: FakeGateway;
  readonly clock: ManualClock;
  readonly client: Client;
};

/** Jitter is half of its range unless the test says otherwise. */
export async function connectFake(
  options: ConnectOptions = {},
  gateway: FakeGateway = new FakeGateway(),
): Promise<FakeSession> {
  const clock = new ManualClock();
  const connecting = createStreamsConnect(createClient)("ws://gateway.test", {
    webSocket: gateway.WebSocket,
    clock,
    random: () => 0.5,
    ...options,
  });
  const client = await connecting;
  return { gateway, clock, client };
}

/** Reads `count` events. */
export async function take<T>(stream: AsyncIterableIterator<T>, count: number): Promise<T[]> {
  const events: T[] = [];
  while (events.length < count) {
    const result = await stream.next();
    if (result.done === true) break;
    events.push(result.value);
  }
  return events;
}

/** Cuts the connection and lets the client come back. */
export async function reconnect({ gateway, clock }: FakeSession): Promise<void> {
  gateway.socket.closeByServer(1006);
  // Not further: nothing asynchronous happens while the clock moves.
  clock.advanceTo(clock.nextUs ?? 0);
  await settle();
}
