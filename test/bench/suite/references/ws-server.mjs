// A server of the library ws alone, which sends the ticks of a turn to every socket as one frame
// that is ready. `node ws-server.mjs '{"bytesPerTick":12}'`, forked; turns.mjs says what it takes
// over IPC.
import { WebSocketServer } from "ws";
import { serveTurns } from "../../load/turns.mjs";
import { payloads } from "./payloads.mjs";

const { bytesPerTick } = JSON.parse(process.argv[2]);
const payload = payloads(bytesPerTick);
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  path: "/v1/ws",
  perMessageDeflate: false,
});
let ticksOfTurn = 0;

server.on("listening", () => {
  serveTurns({
    port: server.address().port,
    topics: 1,
    subscriptions: () => server.clients.size,
    publish: (_topic, ticks) => {
      ticksOfTurn += ticks;
    },
    endTurn: () => {
      const bytes = payload(ticksOfTurn);
      ticksOfTurn = 0;
      for (const socket of server.clients) socket.send(bytes);
    },
  });
});
