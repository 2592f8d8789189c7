import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** What the proxy itself may hold of either side, so that the rest waits where it would anyway. */
const HELD_BYTES = 4 * 1024;

/**
 * A network between a client and a gateway that lets only so much through to the client as a test
 * says; the other direction is free. What does not fit waits in the buffers of the kernel, as on a
 * real slow line.
 */
export class NarrowWire {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** From the gateway, of the newest connection. */
  #far: Socket | undefined;
  #near: Socket | undefined;
  #hasEnded = false;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(gatewayPort: number): Promise<NarrowWire> {
    const server = createServer({ highWaterMark: HELD_BYTES });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const wire = new NarrowWire(server);
    server.on("connection", (near) => wire.#join(near, gatewayPort));
    return wire;
  }

  /** Lets at most so many bytes through. Returns how many there were. */
  pass(bytes: number): number {
    const far = this.#far;
    if (far === undefined) return 0;
    let left = bytes;
    while (left > 0) {
      // A larger read than what is held would say that there is nothing.
      const held = Math.min(left, far.readableLength);
      const chunk = (held > 0 ? far.read(held) : far.read()) as Buffer | null;
      if (chunk === null) break;
      this.#near?.write(chunk);
      left -= chunk.byteLength;
    }
    if (this.#hasEnded && far.readableLength === 0) this.#near?.end();
    return bytes - left;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, gatewayPort: number): void {
    const far = connect({
      port: gatewayPort,
      host: "127.0.0.1",
      highWaterMark: HELD_BYTES,
    } as never);
    this.#far = far;
    this.#near = near;
    this.#hasEnded = false;
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      // What passes is decided here, and not by what the kernel waits to put together.
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    near.pipe(far);
    // Reading begins when somebody wants it; without this nothing is ever read.
    far.on("readable", () => undefined);
    far.on("end", () => {
      if (this.#far === far) this.#hasEnded = true;
    });
  }
}
