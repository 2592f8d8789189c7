import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { REQUESTS_PENDING_MAX, SimulatedSocket } from "./simulated-socket.ts";

const IGNORE = (): void => {};

test.each([
  [REQUESTS_PENDING_MAX - 1, []],
  [REQUESTS_PENDING_MAX, []],
  [REQUESTS_PENDING_MAX + 1, [1008]],
])("a connection may have so many requests waiting: %i", (requests, expected) => {
  const clock = new ManualClock(0);
  const closes: number[] = [];
  const handlers = {
    onOpen: IGNORE,
    onFrame: IGNORE,
    onClose: (code: number) => closes.push(code),
  };
  const socket = new SimulatedSocket(clock, handlers, { onRequest: IGNORE, onEnded: IGNORE });
  socket.open();
  clock.advance(1);
  for (let sent = 0; sent < requests; sent += 1) socket.send("{}");
  clock.advance(1);
  expect(closes).toEqual(expected);
});
