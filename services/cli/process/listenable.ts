import { once } from "node:events";
import { createServer } from "node:net";
import { resolveListenAddress } from "#gateway/transport/listen-address.ts";

/**
 * Listens there for a moment. Rejects with the operating system's reason if that cannot be: for a
 * command that waits for something else before it listens, so that it is told at once.
 */
export async function assertListenable(where: {
  readonly host: string;
  readonly port: number;
}): Promise<void> {
  if (where.port === 0) return;
  const host = await resolveListenAddress(where.host);
  const server = createServer();
  server.listen({ host, port: where.port, exclusive: true });
  await once(server, "listening");
  server.close();
  await once(server, "close");
}
