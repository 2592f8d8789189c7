import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { ACCESS_MEMBERS } from "./access-token.ts";
import type { ClientMessage, ServerMessage } from "./frame.ts";
import { TokenRenewal } from "./token-renewal.ts";

type Access = Extract<ServerMessage, { kind: "access" }>["value"];

class Stand {
  readonly clock = new ManualClock();
  readonly sent: string[] = [];
  readonly renewal: TokenRenewal;
  asked = 0;
  give: () => string | Promise<string> = () => `token ${this.asked}`;

  constructor() {
    const send = (messages: readonly ClientMessage[]): void => {
      for (const message of messages) {
        if (message.kind !== "authenticate") continue;
        const { requestId, accessToken } = message.value;
        this.sent.push(`${requestId} ${accessToken}`);
      }
    };
    const fetchToken = async () => {
      this.asked += 1;
      return this.give();
    };
    const link = { clock: this.clock, random: () => 0.5, send };
    this.renewal = new TokenRenewal(link, fetchToken, ACCESS_MEMBERS);
    this.renewal.handleConnected();
  }

  hears(more: Partial<Access>): void {
    const value: Access = {
      requestId: 0,
      error: "ACCESS_ERROR_UNSPECIFIED",
      errorMessage: "",
      principal: "token:a",
      expiresInMs: 100_000,
      isExpiring: false,
      ...more,
    };
    this.renewal.handleMessage({ kind: "access", value });
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await nextTurn();
  }
}

describe("access that ends", () => {
  test("is renewed when most of it is over, again and again", async () => {
    const stand = new Stand();
    stand.hears({});
    await stand.pass(79_999);
    expect(stand.sent).toEqual([]);
    await stand.pass(1);
    expect(stand.sent).toEqual(["1 token 1"]);
    stand.hears({ requestId: 1, expiresInMs: 200_000 });
    await stand.pass(159_999);
    expect(stand.sent).toHaveLength(1);
    await stand.pass(1);
    expect(stand.sent).toEqual(["1 token 1", "2 token 2"]);
  });

  test("is renewed at once if the gateway says so, and once at a time", async () => {
    const stand = new Stand();
    stand.hears({ isExpiring: true, expiresInMs: 100 });
    stand.hears({ isExpiring: true, expiresInMs: 90 });
    await stand.pass(0);
    expect(stand.sent).toEqual(["1 token 1"]);
  });

  test("that never ends is left alone", async () => {
    const stand = new Stand();
    stand.hears({ expiresInMs: 0 });
    await stand.pass(1_000_000);
    expect([stand.asked, stand.clock.pending]).toEqual([0, 0]);
  });
});

describe("a token that does not help", () => {
  test("is asked for again after a while, which doubles", async () => {
    const stand = new Stand();
    stand.hears({});
    await stand.pass(80_000);
    stand.hears({ requestId: 1, error: "ACCESS_ERROR_STALE" });
    await stand.pass(999);
    expect(stand.sent).toHaveLength(1);
    await stand.pass(1);
    expect(stand.sent).toHaveLength(2);
    stand.hears({ requestId: 2, error: "ACCESS_ERROR_STALE" });
    await stand.pass(1_999);
    expect(stand.sent).toHaveLength(2);
    await stand.pass(1);
    expect(stand.sent).toHaveLength(3);
  });

  test("because there is none is asked for again, and nothing is thrown", async () => {
    const stand = new Stand();
    stand.give = () => Promise.reject(new Error("no network"));
    stand.hears({});
    await stand.pass(80_000);
    stand.give = () => "there";
    await stand.pass(1_000);
    expect(stand.sent).toEqual(["2 there"]);
  });

  test("because it came after its connection was gone is not shown on another", async () => {
    const stand = new Stand();
    let give: (token: string) => void = () => undefined;
    stand.give = () => new Promise((resolve) => (give = resolve));
    stand.hears({});
    await stand.pass(80_000);
    stand.renewal.handleDisconnected();
    stand.renewal.handleConnected();
    give("late");
    await nextTurn();
    expect(stand.sent).toEqual([]);
    expect(stand.clock.pending).toBe(0);
  });
});
