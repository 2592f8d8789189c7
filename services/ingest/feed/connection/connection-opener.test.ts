import { describe, expect, test } from "vitest";
import { startFakeSession } from "#test/support/fake-session.ts";

const MAIN = "fake://stream";
const OTHER = "fake://other";

describe("a plan with two addresses", () => {
  const start = (fallbackUrl?: string) =>
    startFakeSession({
      topics: ["A/trades"],
      policy: { reconnectBackoffBaseMs: 100, reconnectBackoffMsMax: 100, dialTimeoutMs: 1000 },
      ...(fallbackUrl === undefined ? {} : { fallbackUrl }),
    });

  test("is dialled at one and the other in turns while connections do not open", () => {
    const { dialer, clock } = start(OTHER);
    dialer.last.drop();
    clock.advance(50);
    // Nobody answers at all.
    clock.advance(1000 + 50);
    expect(dialer.sockets.map(({ url }) => url)).toEqual([MAIN, OTHER, MAIN]);
  });

  test("stays with the address that opened", () => {
    const { dialer, clock } = start(OTHER);
    dialer.last.drop();
    clock.advance(50);
    dialer.last.open();
    dialer.last.drop();
    clock.advance(50);
    expect(dialer.sockets.map(({ url }) => url)).toEqual([MAIN, OTHER, OTHER]);
  });

  test("with one address there is nothing else to dial", () => {
    const { dialer, clock } = start();
    dialer.last.drop();
    clock.advance(50);
    expect(dialer.sockets.map(({ url }) => url)).toEqual([MAIN, MAIN]);
  });
});
