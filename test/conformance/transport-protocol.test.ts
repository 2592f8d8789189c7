/** The handshake and the HTTP face of both transports, over bare sockets. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transport } from "#gateway/transport/transport.ts";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { REQUEST_CASES } from "./transport-protocol-cases.ts";
import type { Outcome } from "./transport-protocol-cases.ts";
import { OPTIONS, Recorder } from "./transport-stand.ts";

/** A server that has not answered by then waits for more. */
const PATIENCE_MS = 400;

/** Sends bytes and says what comes back first. */
async function ask(port: number, request: string): Promise<Outcome> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  let text = "";
  const outcome = new Promise<Outcome>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status !== undefined) resolve(Number(status));
    });
    socket.on("close", () => resolve("cut"));
    setTimeout(() => resolve("waits"), PATIENCE_MS);
  });
  socket.write(Buffer.from(request, "latin1"));
  const seen = await outcome;
  socket.destroy();
  return seen;
}

describe.each(TRANSPORT_FACTORIES)("%s transport, as bytes", (name, create) => {
  let transport: Transport;
  beforeAll(async () => {
    transport = await create(OPTIONS, new Recorder());
  });
  afterAll(() => transport.close());

  test.each(REQUEST_CASES.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const outcome = await ask(transport.port, one.request);
    const known = one[name];
    // A known deviation that became right is to be taken off the list.
    const isListed = known === undefined || !one.right.includes(known);
    expect(known === undefined ? one.right : [known]).toContain(outcome);
    expect(isListed).toBe(true);
  });
});
