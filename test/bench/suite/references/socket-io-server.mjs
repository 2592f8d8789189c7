// A server of Socket.IO, which emits the ticks of a turn to all of its clients as one message.
// `node socket-io-server.mjs '{"bytesPerTick":12}'`, forked; turns.mjs says what it takes over IPC.
import { createServer } from "node:http";
import { serveTurns } from "../../load/turns.mjs";
import { installed } from "./installed.mjs";
import { payloads } from "./payloads.mjs";

const { bytesPerTick } = JSON.parse(process.argv[2]);
const payload = payloads(bytesPerTick);
const { Server } = installed("socket.io");
const http = createServer();
// The readers ask for the path alone; its clients say their transport in the query.
http.on("upgrade", (request) => {
  request.url = "/v1/ws/?EIO=4&transport=websocket";
});
const io = new Server(http, {
  path: "/v1/ws",
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
  // The readers answer no pings of its protocol: there are none while it is measured.
  pingInterval: 600_000,
});
let ticksOfTurn = 0;

http.listen(0, "127.0.0.1", () => {
  serveTurns({
    port: http.address().port,
    topics: 1,
    subscriptions: () => io.of("/").sockets.size,
    publish: (_topic, ticks) => {
      ticksOfTurn += ticks;
    },
    endTurn: () => {
      io.emit("ticks", payload(ticksOfTurn));
      ticksOfTurn = 0;
    },
  });
});
