import { describe, expect, test } from "vitest";
import { SessionStand } from "../../test/session-stand.ts";

describe("a session", () => {
  test("tells its parts of everything in the order in which it carries them", async () => {
    const stand = new SessionStand();
    stand.session.carry(stand.part("b"));
    await stand.start();
    stand.gateway.socket.deliverFrame({
      messages: [{ reply: { callId: 1 } }],
      batches: [{}],
    });
    stand.session.close();
    const both = (text: string) => [`a ${text}`, `b ${text}`];
    expect(stand.told).toEqual([
      ...both("connected 1000"),
      ...both("reply"),
      ...both("batch of 0"),
      ...both("closed client-closed false"),
    ]);
    expect(stand.states).toEqual(["connected welcome", "closed client-closed"]);
  });

  test("tells a part that comes late how it stands, and then as the others", async () => {
    const stand = await new SessionStand().start();
    stand.session.carry(stand.part("late"));
    stand.gateway.socket.deliverFrame({ messages: [{ reply: { callId: 1 } }] });
    stand.gateway.socket.closeByServer(1006);
    stand.session.carry(stand.part("later"));
    await stand.redial();
    stand.session.close();
    stand.session.carry(stand.part("last"));
    const of = (name: string) =>
      stand.told
        .filter((text) => text.startsWith(`${name} `))
        .map((text) => text.slice(name.length + 1));
    expect(of("late").slice(0, 2)).toEqual(["connected 1000", "reply"]);
    expect(of("later")).toEqual(["connected 1000", "closed client-closed false"]);
    expect(of("last")).toEqual(["closed client-closed false"]);
  });

  test("sends only while there is a welcomed connection", async () => {
    const stand = new SessionStand();
    const cancel = { kind: "cancel", value: { callId: 1 } } as const;
    stand.session.link.send([cancel]);
    await stand.start();
    stand.session.link.send([cancel]);
    expect(stand.gateway.socket.sent("cancel")).toHaveLength(1);
    stand.gateway.socket.closeByServer(1006);
    stand.session.link.send([cancel]);
    expect(stand.gateway.socket.sent("cancel")).toHaveLength(1);
  });

  test("waits longer with each attempt, and begins anew after a connection that held", async () => {
    const stand = await new SessionStand().start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      stand.gateway.socket.closeByServer(1006);
      waits.push(stand.waitMs);
      await stand.redial();
    }
    expect(waits).toEqual([550, 1_050, 2_050, 4_050, 4_050]);
    stand.clock.advance(8_000);
    stand.gateway.socket.closeByServer(1006);
    expect(stand.waitMs).toBe(550);
  });

  test.each([
    ["the first connection cannot be made", {}, 1006, false],
    ["it may not come back", { reconnect: false }, 4000, true],
    ["the gateway forbids it", {}, 4505, true],
  ] as const)("is over when %s", async (_, options, closeCode, connects) => {
    const stand = new SessionStand(options);
    stand.gateway.welcomes = connects;
    await stand.start();
    stand.gateway.socket.closeByServer(closeCode);
    expect(stand.session.state).toBe("closed");
    expect(stand.session.endError).toMatchObject({ name: "ConnectionError" });
    expect(stand.told.at(-1)).toMatch(/^a closed .* true$/);
    expect(stand.clock.pending).toBe(0);
  });

  test("keeps dialling for its first connection if it is asked to", async () => {
    const stand = new SessionStand({ waitForFirstConnect: true });
    stand.gateway.welcomes = false;
    await stand.start();
    stand.gateway.socket.closeByServer(1006);
    stand.gateway.welcomes = true;
    await stand.redial();
    expect(stand.states).toEqual(["connecting connect-failed", "connected welcome"]);
  });

  test("dials soon when the network comes back, and asks for life while it is connected", async () => {
    const stand = await new SessionStand().start();
    for (let attempt = 0; attempt < 4; attempt++) {
      stand.gateway.socket.closeByServer(1006);
      if (attempt < 3) await stand.redial();
    }
    expect(stand.waitMs).toBe(4_050);
    stand.network("offline");
    expect(stand.waitMs).toBe(4_050);
    stand.network("online");
    expect(stand.waitMs).toBe(550);
  });

  test("is closed once, releases everything, and says nothing afterwards", async () => {
    const stand = await new SessionStand().start();
    stand.session.close();
    stand.session.close();
    stand.gateway.socket.closeByServer(1006);
    stand.network("online");
    expect(stand.states).toEqual(["connected welcome", "closed client-closed"]);
    expect([stand.clock.pending, stand.session.endError]).toEqual([0, undefined]);
  });

  test("hands what a listener throws to the host, and goes on", async () => {
    const stand = new SessionStand();
    const mine = new Error("mine");
    stand.session.onState(() => {
      throw mine;
    });
    await stand.start();
    expect(stand.uncaught).toEqual([mine]);
    expect(stand.session.state).toBe("connected");
  });
});
