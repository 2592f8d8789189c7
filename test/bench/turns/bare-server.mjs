// What a turn cannot fall below: a server of uWebSockets.js alone, which looks at no message, given
// what the benchmark `stall` gives the gateway. It answers a socket's first message, the Hello.
import { tickwire } from "@tickwire/proto/protobufjs";
import { loadUws } from "#gateway/transport/uws-module.ts";
import { watchTurns } from "./turn-monitor.mjs";

const { ServerFrame } = tickwire.v1;
const WELCOME = ServerFrame.encode({ messages: [{ welcome: { protocolVersion: 1 } }] }).finish();
const uws = await loadUws();
const turns = watchTurns();
let wanted = 0;
let got = 0;
uws
  .App()
  .ws("/v1/ws", {
    maxPayloadLength: 1024 * 1024,
    upgrade: (response, request, context) => {
      const key = request.getHeader("sec-websocket-key");
      response.upgrade({ greeted: false }, key, "tickwire.v1", "", context);
    },
    message: (socket) => {
      const data = socket.getUserData();
      if (data.greeted) {
        got += 1;
        if (got === wanted) process.send({ all: true });
        return;
      }
      data.greeted = true;
      socket.send(WELCOME, true);
    },
  })
  .listen("127.0.0.1", 0, 1, (socket) => {
    process.send({ port: uws.us_socket_local_port(socket) });
  });

process.on("message", ({ kind, messages }) => {
  if (kind === "reset") turns.reset();
  if (kind === "expect") wanted = messages;
  if (kind === "keep") {
    setImmediate(() => {
      turns.keep();
      process.send({ kept: true });
    });
  }
  if (kind !== "report") return;
  setImmediate(() => process.send({ ...turns.report(), rssMb: process.memoryUsage().rss / 1e6 }));
});
process.on("disconnect", () => process.exit());
