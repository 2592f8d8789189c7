import { connect as dial, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/**
 * A TCP proxy in front of several ports of this machine: it takes them in turn, and goes on to the
 * next one where a port refuses.
 */
export class TcpBalancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where connections go to; may be changed at any time. */
  ports: readonly number[];
  #turn = 0;

  private constructor(ports: readonly number[]) {
    this.ports = ports;
    this.#server = createServer((near) => {
      this.#sockets.add(near);
      near.on("close", () => this.#sockets.delete(near));
      near.on("error", () => near.destroy());
      this.#turn += 1;
      this.#connect(near, this.#turn, 0);
    });
  }

  static async open(ports: readonly number[]): Promise<TcpBalancer> {
    const balancer = new TcpBalancer(ports);
    await new Promise<void>((resolve) => balancer.#server.listen(0, "127.0.0.1", 1_024, resolve));
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #connect(near: Socket, turn: number, refusals: number): void {
    const { ports } = this;
    const port = ports[(turn + refusals) % ports.length];
    if (port === undefined || refusals >= ports.length) {
      near.destroy();
      return;
    }
    const far = dial(port, "127.0.0.1");
    let isOpen = false;
    far.on("connect", () => {
      isOpen = true;
      near.pipe(far);
      far.pipe(near);
    });
    far.on("error", () => {
      if (isOpen) near.destroy();
      else this.#connect(near, turn, refusals + 1);
    });
    far.on("close", () => {
      if (isOpen) near.destroy();
    });
    near.on("close", () => far.destroy());
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
