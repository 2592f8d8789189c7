import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Kernels give ports of outgoing connections from above here. */
const PORT_MAX = 32_767;
const PORT_MIN = 10_000;
const ATTEMPTS_MAX = 100;

/**
 * A port that nothing listens on now, and that no outgoing connection gets: a client that dials a
 * port while nobody listens there might otherwise get it as its own, be connected to itself, and
 * keep the port from whoever is to listen on it.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${ATTEMPTS_MAX} ports is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
