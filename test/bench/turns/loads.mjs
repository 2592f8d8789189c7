// What the benchmark `stall` gives a gateway at once. `node loads.mjs PORT CASE`, forked: what it
// sends over IPC is for the gateway's process; it exits when everything was answered. Without
// arguments it prints the cases and the gateways that they need.
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import WebSocket from "ws";

const v1 = tickwire.v1;
const frame = (...messages) => v1.ClientFrame.encode({ messages }).finish();
const HELLO = { protocolVersion: 1, clientName: "load", acceptCompression: true };
const MANY = {
  subscriptionsMax: 20_000,
  topicsPerSecondMax: 1_000_000,
  topicsMax: 400_000,
  connectionsPerAddressMax: 20_000,
  connectionsMax: 20_000,
  outboundBytesMax: 64 * 1024 * 1024,
  httpRequestsPerSecondMax: 100_000,
  httpRequestsPerSecondPerAddressMax: 100_000,
};
const SESSIONS = 5_000;
const TOPICS = 50;
const [, , port, name] = process.argv;
const tell = (message) => process.send(message);

async function open(perMessageDeflate = false) {
  const url = `ws://127.0.0.1:${port}/v1/ws`;
  const socket = new WebSocket(url, "tickwire.v1", { perMessageDeflate });
  await once(socket, "open");
  socket.send(frame({ hello: HELLO }));
  await once(socket, "message");
  return socket;
}

/** Resolves when the client has results of so many topics. */
function results(socket, wanted, key = "subscribeResult") {
  return new Promise((resolve) => {
    let got = 0;
    socket.on("message", function onMessage(data) {
      for (const message of v1.ServerFrame.decode(data).messages) {
        got += message[key]?.topics.length ?? 0;
      }
      if (got < wanted) return;
      socket.off("message", onMessage);
      resolve();
    });
  });
}

async function subscribe(socket, topics, wanted = topics.length) {
  const done = results(socket, wanted);
  socket.send(frame({ subscribe: { requestId: 1, topics: topics.map((topic) => ({ topic })) } }));
  await done;
}

async function pattern() {
  const one = await open();
  tell({ kind: "reset" });
  await subscribe(one, ["one:*/trades"], 10_000);
  const other = await open();
  await subscribe(other, ["one:*/trades"], 10_000);
  const left = results(other, 1, "unsubscribeResult");
  other.send(frame({ unsubscribe: { requestId: 2, topics: ["one:*/trades"] } }));
  await left;
  one.terminate();
  await wait(500);
}

async function snapshot(compressed) {
  const one = await open(compressed);
  const other = await open(compressed);
  tell({ kind: "reset" });
  for (const socket of [one, other]) {
    const batch = new Promise((resolve) => {
      socket.on("message", (data) => data.byteLength > 1_000_000 && resolve());
    });
    socket.send(frame({ subscribe: { requestId: 1, topics: [{ topic: "one:SYM0-USDT/book" }] } }));
    await batch;
  }
}

/** Opens the sessions, a hundred at a time. */
async function crowd(count) {
  const sockets = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open()))));
  }
  return sockets;
}

async function sessions() {
  const sockets = await crowd(SESSIONS);
  const answered = sockets.map((socket) => results(socket, TOPICS));
  tell({ kind: "reset" });
  for (const [index, socket] of sockets.entries()) socket.send(subscription(index));
  await Promise.all(answered);
}

/** A frame of one session: 50 of 10,000 topics, others than its neighbours'. */
function subscription(index) {
  const topics = Array.from({ length: TOPICS }, (_, offset) => {
    return { topic: `one:SYM${(index + offset * 199) % 10_000}-USDT/trades` };
  });
  return frame({ subscribe: { requestId: 1, topics } });
}

/** The same to a server that answers nothing. */
async function sessionsOfBare() {
  const sockets = await crowd(SESSIONS);
  const all = new Promise((resolve) =>
    process.on("message", ({ all: isAll }) => isAll && resolve()),
  );
  tell({ kind: "expect", messages: SESSIONS });
  tell({ kind: "reset" });
  for (const [index, socket] of sockets.entries()) socket.send(subscription(index));
  await all;
}

async function leaving() {
  const sockets = await crowd(SESSIONS);
  const topics = Array.from({ length: TOPICS }, (_, index) => `one:SYM${index}-USDT/trades`);
  for (let first = 0; first < sockets.length; first += 100) {
    const some = sockets.slice(first, first + 100);
    await Promise.all(some.map((socket) => subscribe(socket, topics)));
  }
  tell({ kind: "reset" });
  // The process goes, and all of its sockets in one moment.
}

async function leavingBare() {
  await crowd(SESSIONS);
  tell({ kind: "reset" });
}

async function coming() {
  tell({ kind: "reset" });
  const sockets = Array.from({ length: SESSIONS }, () => open());
  await Promise.all(sockets);
}

async function catalog() {
  const sockets = await crowd(500);
  const topics = Array.from({ length: 20 }, (_, index) => `*:SYM${index}-USDT/*`);
  for (const socket of sockets) await subscribe(socket, topics, 20);
  const listed = () =>
    new Promise((resolve) => process.on("message", ({ done }) => done === "catalog" && resolve()));
  for (const [version, count] of [
    [2, 50_000],
    [3, 49_000],
  ]) {
    const done = listed();
    tell({ kind: "list", venue: "one", version, first: 0, count });
    tell({ kind: "reset" });
    tell({ kind: "announce", venue: "one", version });
    await done;
    await wait(1_000);
  }
}

const venues = { one: 10_000 };
const small = { one: 10 };
const plain = { config: MANY, venues, bookLevels: 0 };
const big = { config: MANY, venues: small, bookLevels: 500_000 };
const CASES = {
  "pattern of 10,000 topics, twice, and back": { run: pattern, gateway: plain, seconds: 60 },
  "snapshot of 5 MB, twice": { run: () => snapshot(false), gateway: big, seconds: 60 },
  "the same to who takes deflate": { run: () => snapshot(true), gateway: big, seconds: 60 },
  "5,000 sessions send to bare uWebSockets.js": {
    run: sessionsOfBare,
    gateway: "bare",
    seconds: 60,
  },
  "5,000 sessions come to bare uWebSockets.js": { run: coming, gateway: "bare", seconds: 60 },
  "5,000 sessions go from bare uWebSockets.js": {
    run: leavingBare,
    gateway: "bare",
    seconds: 60,
    waitMs: 3_000,
  },
  "5,000 sessions come at once": { run: coming, gateway: plain, seconds: 120 },
  "5,000 sessions subscribe 50 topics": { run: sessions, gateway: plain, seconds: 120 },
  "5,000 sessions of 50 topics go": { run: leaving, gateway: plain, seconds: 120, waitMs: 3_000 },
  "catalog of 50,000, 500 sessions": {
    run: catalog,
    gateway: { ...plain, venues: small },
    seconds: 60,
  },
};

if (name === undefined) {
  const wanted = Object.entries(CASES).map(([key, { gateway, seconds, waitMs }]) => {
    return [key, { gateway, seconds, waitMs }];
  });
  process.stdout.write(JSON.stringify(Object.fromEntries(wanted)));
} else {
  const { run, waitMs } = CASES[name];
  await run();
  // That its sockets close all at once is not part of a case, unless the case is about that.
  if (waitMs === undefined) {
    tell({ kind: "keep" });
    await new Promise((resolve) => process.on("message", ({ kept }) => kept && resolve()));
  }
  // Sockets that are open would keep the process.
  process.exit(0);
}
