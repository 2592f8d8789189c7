// A server of uWebSockets.js alone that puts frames together: what a gateway does for many topics,
// without a publisher, a bus, a codec or a client that may be slow. The messages of a turn are
// ready bytes, copied into one arena; each socket gets what its topics had as one frame. It is what
// a gateway in this language can come down to. `node assembled-server.mjs
// '{"topics":1000,"bytesPerTick":25}'`, forked; turns.mjs says what it takes over IPC. The place of
// each message is written into a list of each subscriber. A socket names its topics in the first
// message, separated by commas.
import { loadUws } from "#gateway/transport/uws-module.ts";
import { serveTurns } from "./turns.mjs";

const { topics, bytesPerTick } = JSON.parse(process.argv[2]);
const SESSIONS_MAX = 8_192;
const LIST_MAX = 256;
const ARENA_WORDS = 1 << 20;
/** Before the bytes of a message: how many they are. */
const HEAD_WORDS = 1;
const uws = await loadUws();

const arena = new Int32Array(ARENA_WORDS);
const arenaBytes = new Uint8Array(arena.buffer);
let used = 1;
/** Sessions by topic. */
const sessionsOf = Array.from({ length: topics }, () => []);
const lists = Array.from({ length: topics }, () => new Int32Array(0));
const sockets = [];
const listed = new Int32Array(SESSIONS_MAX * LIST_MAX);
const counts = new Int32Array(SESSIONS_MAX);
const due = new Int32Array(SESSIONS_MAX);
let dueCount = 0;
const frame = new Uint8Array(1 << 20);
const view = new DataView(frame.buffer);
const payload = Buffer.alloc(Math.max(1, Math.round(bytesPerTick)), 0x5a);

function keep() {
  const place = used;
  const { length } = payload;
  arena[place] = length;
  const start = (place + HEAD_WORDS) * 4;
  for (let at = 0; at < length; at += 1) arenaBytes[start + at] = payload[at];
  used = place + HEAD_WORDS + ((length + 3) >> 2);
  return place;
}

function publish(topic) {
  const place = keep();
  const sessions = lists[topic];
  for (let index = 0; index < sessions.length; index += 1) {
    const session = sessions[index];
    const count = counts[session];
    listed[session * LIST_MAX + count] = place;
    counts[session] = count + 1;
    if (count === 0) {
      due[dueCount] = session;
      dueCount += 1;
    }
  }
}

/** Copies a message behind the others of the frame, by words; says where it ends. */
function put(place, position) {
  const end = position + arena[place];
  let word = place + HEAD_WORDS;
  for (let at = position; at < end; at += 4, word += 1) view.setInt32(at, arena[word], true);
  return end;
}

function flush() {
  // Sockets lie in memory in about the order in which they were opened.
  due.subarray(0, dueCount).sort();
  for (let index = 0; index < dueCount; index += 1) {
    const session = due[index];
    const first = session * LIST_MAX;
    const last = first + counts[session];
    let length = 0;
    for (let entry = first; entry < last; entry += 1) length = put(listed[entry], length);
    counts[session] = 0;
    sockets[session].send(frame.subarray(0, length), true);
  }
  dueCount = 0;
}

let subscriptions = 0;
const app = uws.App().ws("/v1/ws", {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 4 * 1024 * 1024,
  open: (socket) => void sockets.push(socket),
  message: (socket, message) => {
    const session = sockets.indexOf(socket);
    const own = Int32Array.from(Buffer.from(message).toString("latin1").split(","), Number);
    for (const topic of own) {
      sessionsOf[topic].push(session);
      lists[topic] = Int32Array.from(sessionsOf[topic]);
      subscriptions += 1;
    }
  },
});
app.listen("127.0.0.1", 0, 1, (listener) => {
  serveTurns({
    port: uws.us_socket_local_port(listener),
    topics,
    subscriptions: () => subscriptions,
    publish,
    endTurn: () => {
      flush();
      used = 1;
    },
  });
});
