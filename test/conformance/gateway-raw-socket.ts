import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";

/** What a raw upgrade asks for. */
type RawUpgrade = {
  readonly port: number;
  readonly path: string;
  readonly subprotocol?: string;
  readonly extensions?: string;
  /** Default "13". */
  readonly version?: string;
  /** Default "websocket". */
  readonly upgrade?: string;
  /** More header lines. */
  readonly headers?: readonly string[];
};

/**
 * A WebSocket client of bare TCP: it stops reading when told, answers no pings and breaks rules on
 * demand.
 */
export class RawSocket {
  readonly socket: Socket;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;

  private constructor(socket: Socket, head: string) {
    this.socket = socket;
    const [statusLine = "", ...lines] = head.split("\r\n");
    this.status = Number(statusLine.split(" ")[1]);
    this.headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
  }

  /**
   * Resolves when the answer to the upgrade has arrived, whatever it says. The socket is then
   * paused.
   */
  static async open(upgrade: RawUpgrade): Promise<RawSocket> {
    const socket = connect({ host: "127.0.0.1", port: upgrade.port });
    socket.on("error", () => socket.destroy());
    await once(socket, "connect");
    const lines = [
      `GET ${upgrade.path} HTTP/1.1`,
      "Host: 127.0.0.1",
      `Upgrade: ${upgrade.upgrade ?? "websocket"}`,
      "Connection: Upgrade",
      `Sec-WebSocket-Version: ${upgrade.version ?? "13"}`,
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ];
    lines.push(...(upgrade.headers ?? []));
    if (upgrade.subprotocol !== undefined) {
      lines.push(`Sec-WebSocket-Protocol: ${upgrade.subprotocol}`);
    }
    if (upgrade.extensions !== undefined) {
      lines.push(`Sec-WebSocket-Extensions: ${upgrade.extensions}`);
    }
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const head = await readHead(socket);
    return new RawSocket(socket, head);
  }

  /** Sends one masked frame, final unless said otherwise. */
  sendFrame(opcode: number, payload: Uint8Array): void {
    const mask = randomBytes(4);
    const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
    head[0] = 0x80 | opcode;
    if (payload.length < 126) head[1] = 0x80 | payload.length;
    else if (payload.length < 65_536) {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(payload.length, 2);
    } else {
      head[1] = 0x80 | 127;
      head.writeBigUInt64BE(BigInt(payload.length), 2);
    }
    const masked = Buffer.from(payload);
    for (let at = 0; at < masked.length; at += 1)
      masked[at] = (masked[at] ?? 0) ^ (mask[at & 3] ?? 0);
    this.socket.write(Buffer.concat([head, mask, masked]));
  }

  /** Starts reading again and throws away what comes. */
  resume(): void {
    this.socket.on("data", () => {});
    this.socket.resume();
  }

  /** Resolves when the far end has closed the connection; reads and throws away until then. */
  async gone(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, "close");
    this.socket.on("end", () => this.socket.destroy());
    this.resume();
    await closed;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

async function readHead(socket: Socket): Promise<string> {
  let bytes = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onData);
      socket.pause();
      const rest = bytes.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      resolve(bytes.toString("latin1", 0, end));
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error("closed before the answer")));
  });
}
