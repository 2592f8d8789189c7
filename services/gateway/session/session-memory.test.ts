import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { tickwire } from "@tickwire/proto/protobufjs";
import { expect, test } from "vitest";
import { SessionRig } from "#test/support/session-rig.ts";

const { ClientFrame } = tickwire.v1;
const SESSIONS = 500;
const TOPICS_PER_SESSION = 10;
/**
 * Of V8's heap: 4,200 were measured, half of which are the connection and the hub of the test, and
 * now and then something more that the process had just made. Objects for each topic had 5,500.
 */
const HEAP_BYTES_MAX = 5_000;
/** The same with tables of numbers, which are beside the heap: 5,300 were measured. */
const SESSION_BYTES_MAX = 6_200;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are in use when there is no garbage: of V8's heap, and of tables beside it. */
function usedBytes(): { readonly heap: number; readonly tables: number } {
  for (let time = 0; time < 3; time += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, tables: arrayBuffers };
}

test(`a session with ${TOPICS_PER_SESSION} topics is small when its requests are answered`, async () => {
  const symbols = Array.from({ length: TOPICS_PER_SESSION }, (_, index) => `S${index}-USDT`);
  const rig = new SessionRig({}, symbols);
  const topics = symbols.map((symbol) => ({ topic: `fake:${symbol}/trades` }));
  const hello = { hello: { protocolVersion: 1, clientName: "test" } };
  const subscribe = { subscribe: { requestId: 1, topics } };
  const open = async (count: number) => {
    const sessions = Array.from({ length: count }, () => rig.openAnother());
    for (const session of sessions) {
      for (const message of [hello, subscribe]) {
        session.onMessage(ClientFrame.encode({ messages: [message] }).finish(), true);
      }
    }
    const isWhole = () => sessions.every(({ subscribed }) => subscribed?.size === topics.length);
    for (let turn = 0; turn < 10_000 && !isWhole(); turn += 1) await rig.settle();
    expect(isWhole()).toBe(true);
    rig.logs.length = 0;
    return sessions;
  };
  // What is made once is made for the first ones.
  await open(SESSIONS / 10);
  const before = usedBytes();
  const sessions = await open(SESSIONS);
  const after = usedBytes();
  const heap = (after.heap - before.heap) / SESSIONS;
  const tables = (after.tables - before.tables) / SESSIONS;
  expect(heap).toBeLessThan(HEAP_BYTES_MAX);
  expect(heap + tables).toBeLessThan(SESSION_BYTES_MAX);
  expect(sessions).toHaveLength(SESSIONS);
}, 120_000);
