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
/** Resolves when the gateway says that it has done it. */
const told = (what) =>
  new Promise((resolve) => {
    process.on("message", function onMessage({ done }) {
      if (done !== what) return;
      process.off("message", onMessage);
      resolve();
    });
  });
/** Of no use but here. */
const KEY = `twk_${"k".repeat(12)}_${"A".repeat(43)}`;

async function open({ perMessageDeflate = false, accessToken = "" } = {}) {
  const url = `ws://127.0.0.1:${port}/v1/ws`;
  const socket = new WebSocket(url, "tickwire.v1", { perMessageDeflate });
  await once(socket, "open");
  socket.send(frame({ hello: { ...HELLO, accessToken } }));
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
  const one = await open({ perMessageDeflate: compressed });
  const other = await open({ perMessageDeflate: compressed });
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
async function crowd(count, accessToken) {
  const sockets = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open({ accessToken })))));
  }
  return sockets;
}

async function sessions() {
  const sockets = await crowd(SESSIONS);
  const answered = sockets.map((socket) => results(socket, TOPICS));
  await standStill();
  for (const [index, socket] of sockets.entries()) socket.send(subscription(index));
  await Promise.all(answered);
}

/** The server stands still for a moment, so that what is sent now comes to it all at once. */
async function standStill() {
  tell({ kind: "reset" });
  tell({ kind: "still", ms: 3_000 });
  await wait(200);
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
  await standStill();
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

/** One request leaves what 10,000 others have brought. */
async function unsubscribing() {
  const one = await open();
  const topics = Array.from({ length: 10_000 }, (_, index) => `one:SYM${index}-USDT/trades`);
  for (let first = 0; first < topics.length; first += 500) {
    await subscribe(one, topics.slice(first, first + 500));
  }
  tell({ kind: "reset" });
  const left = results(one, topics.length, "unsubscribeResult");
  one.send(frame({ unsubscribe: { requestId: 2, topics } }));
  await left;
}

/** A thousand requests in one frame, of a hundred clients. */
async function thousands() {
  const sockets = await crowd(100);
  const requests = Array.from({ length: 1_000 }, (_, nonce) => ({ ping: { nonce } }));
  const bytes = frame(...requests);
  const answered = sockets.map(
    (socket) =>
      new Promise((resolve) => {
        let pongs = 0;
        socket.on("message", (data) => {
          for (const { pong } of v1.ServerFrame.decode(data).messages) if (pong) pongs += 1;
          if (pongs === 1_000) resolve();
        });
      }),
  );
  await standStill();
  for (const socket of sockets) socket.send(bytes);
  await Promise.all(answered);
}

/** Operators read everything while one client has 10,000 topics. */
async function operators() {
  const one = await open();
  await subscribe(one, ["one:*/trades"], 10_000);
  for (let round = 0; round < 5; round += 1) {
    if (round === 1) tell({ kind: "reset" });
    tell({ kind: "operate" });
    await told("operate");
  }
}

async function catalog() {
  const sockets = await crowd(500);
  const topics = Array.from({ length: 20 }, (_, index) => `*:SYM${index}-USDT/*`);
  for (const socket of sockets) await subscribe(socket, topics, 20);
  // What makes the lists is no work of the gateway.
  const lists = [
    { venue: "one", version: 2, count: 50_000 },
    { venue: "one", version: 3, count: 49_000 },
  ];
  for (const list of lists) {
    tell({ kind: "list", ...list });
    await told("list");
  }
  tell({ kind: "reset" });
  for (const { venue, version } of lists) {
    tell({ kind: "announce", venue, version });
    await told("catalog");
    await wait(1_000);
  }
}

/** The key that all sessions show is revoked in one moment. */
async function revoking() {
  const sockets = await crowd(SESSIONS, KEY);
  const topics = Array.from({ length: TOPICS }, (_, index) => `one:SYM${index}-USDT/trades`);
  for (let first = 0; first < sockets.length; first += 100) {
    const some = sockets.slice(first, first + 100);
    await Promise.all(some.map((socket) => subscribe(socket, topics)));
  }
  tell({ kind: "reset" });
  tell({ kind: "revoke" });
  await Promise.all(sockets.map((socket) => once(socket, "close")));
}

/** The gateway's NATS server is started again while a client has 10,000 topics. */
async function reconnecting() {
  const one = await open();
  await subscribe(one, ["one:*/trades"], 10_000);
  tell({ kind: "reset" });
  tell({ kind: "reconnect" });
  await told("reconnect");
}

const venues = { one: 10_000 };
const small = { one: 10 };
const plain = { config: MANY, venues, bookLevels: 0 };
const big = { config: MANY, venues: small, bookLevels: 500_000 };
/** Those that goals name are looked at more often. */
const CASES = {
  "pattern of 10,000 topics, twice, and back": {
    run: pattern,
    gateway: plain,
    seconds: 60,
    isOfGoals: true,
  },
  "snapshot of 5 MB, twice": {
    run: () => snapshot(false),
    gateway: big,
    seconds: 60,
    isOfGoals: true,
  },
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
  "5,000 sessions subscribe 50 topics": {
    run: sessions,
    gateway: plain,
    seconds: 120,
    isOfGoals: true,
  },
  "5,000 sessions of 50 topics go": { run: leaving, gateway: plain, seconds: 120, waitMs: 3_000 },
  "a request that leaves 10,000 topics": { run: unsubscribing, gateway: plain, seconds: 60 },
  "1,000 requests in a frame, of 100 clients": {
    run: thousands,
    gateway: { config: { ...MANY, requestsPerSecondMax: 100_000 }, venues: small, bookLevels: 0 },
    seconds: 60,
  },
  "operators look while 10,000 topics are followed": {
    run: operators,
    gateway: plain,
    seconds: 60,
  },
  "catalog of 50,000, 500 sessions": {
    run: catalog,
    gateway: { ...plain, venues: small },
    seconds: 60,
    isOfGoals: true,
  },
  "access of 5,000 sessions of 50 topics is revoked": {
    run: revoking,
    gateway: { ...plain, key: KEY },
    seconds: 120,
    waitMs: 1_000,
  },
  "NATS is gone and back, 10,000 topics": {
    run: reconnecting,
    gateway: { ...plain, nats: true },
    seconds: 120,
  },
};

if (name === undefined) {
  const wanted = Object.entries(CASES).map(([key, { gateway, seconds, waitMs, isOfGoals }]) => {
    return [key, { gateway, seconds, waitMs, isOfGoals }];
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
