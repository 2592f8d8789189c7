// A server of uWebSockets.js alone that sends ready bytes, as fan-out is compared with.
// `node uws-server.mjs '{"how":"send","topics":1,"bytesPerTick":12}'`, forked; turns.mjs says what
// it takes over IPC. `send` puts the ticks of a turn into one frame and sends it to every socket;
// `publish` gives each message to the library's topics, of which a socket names its own in the
// first message, separated by commas. With `nats`, an address, the frame goes by that server and is
// sent when it comes back; with `stamped` what is sent begins with a stamp.
import { connect } from "@nats-io/transport-node";
import { loadUws } from "#gateway/transport/uws-module.ts";
import { stampOfNow } from "./stamp.mjs";
import { serveTurns } from "./turns.mjs";

const { how, topics, bytesPerTick, nats, stamped } = JSON.parse(process.argv[2]);
const SUBJECT = "bench.frames";
const bus = nats === undefined ? undefined : await connect({ servers: nats });
const uws = await loadUws();
const sockets = new Set();
const names = Array.from({ length: topics }, (_, index) => String(index));
const payloads = new Map();

function payload(ticks) {
  let bytes = payloads.get(ticks);
  if (bytes === undefined) {
    bytes = Buffer.alloc(Math.max(1, Math.round(ticks * bytesPerTick)), 0x5a);
    payloads.set(ticks, bytes);
  }
  return bytes;
}

let subscriptions = 0;
function subscribed(socket) {
  subscriptions += 1;
  socket.getUserData().subscriptions += 1;
}

let ticksOfTurn = 0;

const sendToAll = (bytes) => {
  for (const socket of sockets) socket.send(bytes, true);
};
bus?.subscribe(SUBJECT, { callback: (_error, { data }) => sendToAll(data) });

const app = uws.App().ws("/v1/ws", {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 4 * 1024 * 1024,
  open: (socket) => {
    sockets.add(socket);
    socket.getUserData().subscriptions = 0;
    if (how !== "publish") subscribed(socket);
  },
  close: (socket) => {
    sockets.delete(socket);
    subscriptions -= socket.getUserData().subscriptions;
  },
  message: (socket, message) => {
    if (how !== "publish") return;
    for (const name of Buffer.from(message).toString("latin1").split(",")) {
      socket.subscribe(name);
      subscribed(socket);
    }
  },
});
app.listen("127.0.0.1", 0, 1, (listener) => {
  serveTurns({
    port: uws.us_socket_local_port(listener),
    topics,
    subscriptions: () => subscriptions,
    publish:
      how === "publish"
        ? (topic, ticks) => {
            const bytes = payload(ticks);
            if (stamped) bytes.write(stampOfNow(), "latin1");
            app.publish(names[topic], bytes, true);
          }
        : (_topic, ticks) => {
            ticksOfTurn += ticks;
          },
    endTurn: () => {
      if (how === "publish") return;
      const bytes = payload(ticksOfTurn);
      ticksOfTurn = 0;
      if (stamped) bytes.write(stampOfNow(), "latin1");
      if (bus === undefined) sendToAll(bytes);
      else bus.publish(SUBJECT, bytes);
    },
  });
});
