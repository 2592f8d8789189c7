import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { HttpResponse, HttpWriter } from "#gateway/transport/transport.ts";
import { SendResult } from "#gateway/transport/transport.ts";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { TransportStand } from "./transport-stand.ts";

const stands = TRANSPORT_FACTORIES.map(([, create]) => new TransportStand(create));
const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const stand of stands) await stand.stop();
});

/** Resolves with what the producer hears, when it hears that its stream is closed. */
async function streamTo(stand: TransportStand, produce: (writer: HttpWriter) => void) {
  const { transport, recorder } = await stand.start();
  const closed = new Promise<boolean>((onClose) => {
    recorder.answer = (): Promise<HttpResponse> => {
      const open = (writer: HttpWriter) => {
        produce(writer);
        return { onDrain: () => produce(writer), onClose };
      };
      return Promise.resolve({ status: 200, headers: {}, body: { open } });
    };
  });
  const client = connect(transport.port, "127.0.0.1");
  clients.push(client);
  await once(client, "connect");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return { client, closed };
}

/** The two timers cannot be moved by hand, so all that waits for them waits at once. */
test(
  "a client that takes nothing is cut after some 10 s, one that has nothing to take is not",
  { timeout: 40_000 },
  async () => {
    for (const outcome of await Promise.all(
      stands.map(async (stand) => {
        const quiet = await streamTo(stand, () => {});
        const stalled = await streamTo(stand, (writer) => {
          while (writer.write(Buffer.alloc(64 * 1024)) !== SendResult.Dropped);
        });
        stalled.client.pause();
        const first = await Promise.race([
          quiet.closed.then(() => "quiet"),
          stalled.closed.then((whole) => ({ whole })),
        ]);
        return { first, quietIsOpen: !quiet.client.destroyed };
      }),
    )) {
      expect(outcome).toEqual({ first: { whole: false }, quietIsOpen: true });
    }
  },
);
