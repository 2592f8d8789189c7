// A server of uWebSockets.js alone that puts frames together: what a gateway does for many topics,
// without a publisher, a bus, a codec or a client that may be slow. The messages of a turn are
// ready bytes, copied into one arena; each socket gets what its topics had as one frame. It is what
// a gateway in this language can come down to. `node assembled-server.mjs
// '{"how":"lists","topics":1000,"bytesPerTick":25}'`, forked; turns.mjs says what it takes over
// IPC. `lists` writes the place of each message into a list of each subscriber, `walk` goes through
// the topics of each socket. A socket names its topics in the first message, separated by commas.
import { loadUws } from "#gateway/transport/uws-module.ts";
import { serveTurns } from "./turns.mjs";

const { how, topics, bytesPerTick } = JSON.parse(process.argv[2]);
const SESSIONS_MAX = 8_192;
const LIST_MAX = 256;
const ARENA_WORDS = 1 << 20;
/** Before the bytes of a message: how many they are, and where the topic's next message is. */
const HEAD_WORDS = 2;
const uws = await loadUws();

const arena = new Int32Array(ARENA_WORDS);
const arenaBytes = new Uint8Array(arena.buffer);
let used = 1;
/** Places of the first and the last message of the turn, by topic; 0 is none. */
const firstOf = new Int32Array(topics);
const lastOf = new Int32Array(topics);
const dirtyTopics = [];
/** Sessions by topic, and topics by session. */
const sessionsOf = Array.from({ length: topics }, () => []);
const lists = Array.from({ length: topics }, () => new Int32Array(0));
const topicsOf = [];
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
  arena[place + 1] = 0;
  const start = (place + HEAD_WORDS) * 4;
  for (let at = 0; at < length; at += 1) arenaBytes[start + at] = payload[at];
  used = place + HEAD_WORDS + ((length + 3) >> 2);
  return place;
}

function publishToLists(topic) {
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

function publishToChain(topic) {
  const place = keep();
  if (firstOf[topic] === 0) {
    firstOf[topic] = place;
    dirtyTopics.push(topic);
  } else arena[lastOf[topic] + 1] = place;
  lastOf[topic] = place;
}

/** Copies a message behind the others of the frame, by words; says where it ends. */
function put(place, position) {
  const end = position + arena[place];
  let word = place + HEAD_WORDS;
  for (let at = position; at < end; at += 4, word += 1) view.setInt32(at, arena[word], true);
  return end;
}

function flushLists() {
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

function flushChains() {
  for (let session = 0; session < sockets.length; session += 1) {
    const own = topicsOf[session];
    let length = 0;
    for (let index = 0; index < own.length; index += 1) {
      let place = firstOf[own[index]];
      while (place !== 0) {
        length = put(place, length);
        place = arena[place + 1];
      }
    }
    if (length > 0) sockets[session].send(frame.subarray(0, length), true);
  }
  for (const topic of dirtyTopics) firstOf[topic] = 0;
  dirtyTopics.length = 0;
}

const isWalk = how === "walk";
const publish = isWalk ? publishToChain : publishToLists;
const flush = isWalk ? flushChains : flushLists;
let subscriptions = 0;
const app = uws.App().ws("/v1/ws", {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 4 * 1024 * 1024,
  open: (socket) => {
    sockets.push(socket);
    topicsOf.push(new Int32Array(0));
  },
  message: (socket, message) => {
    const session = sockets.indexOf(socket);
    const own = Int32Array.from(Buffer.from(message).toString("latin1").split(","), Number);
    topicsOf[session] = own;
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
