import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Admission } from "../admission.ts";
import type { PeerAddresses } from "../peer-address.ts";
import type { RefusalLimit } from "../transport.ts";

type NodeSocketsParts = {
  readonly admission: Admission;
  readonly addresses: PeerAddresses;
  readonly onRefused: (limit: RefusalLimit) => void;
};

/** Counts every socket of a server from its first moment to its last, also before TLS. */
export function countSockets(server: Server, parts: NodeSocketsParts): void {
  const { admission, addresses, onRefused } = parts;
  server.on("connection", (socket: Socket) => {
    const owner = addresses.ownerOf(socket.remoteAddress ?? "");
    const limit = admission.openSocket(owner);
    if (limit !== undefined) {
      onRefused(limit);
      socket.destroy();
      return;
    }
    socket.on("close", () => admission.closeSocket(owner));
  });
}
