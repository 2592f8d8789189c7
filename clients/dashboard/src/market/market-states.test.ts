import type { Client, Status } from "@tickwire/client";
import { expect, test } from "vitest";
import { MarketStates } from "./market-states.ts";

const TOPIC = "one:A-USD";

function create() {
  const followed: string[][] = [];
  const last = {
    say: (() => undefined) as (status: Status) => void,
    fail: (() => undefined) as (error: { code: string }) => void,
  };
  const client = {
    onStatus: (topics: string[], callback: typeof last.say, options: object) => {
      followed.push(topics);
      last.say = callback;
      last.fail = (options as { onError: typeof last.fail }).onError;
      return { close: () => undefined };
    },
  } as unknown as Client;
  const states = new MarketStates(() => undefined);
  const say = (channel: string, state: string, instrumentState?: string) =>
    last.say({ venue: "one", symbol: "A-USD", channel, state, instrumentState } as Status);
  return { client, followed, states, say, fail: (code: string) => last.fail({ code }) };
}

test("the last word on each channel and on the instrument holds, also after its end", () => {
  const { client, states, say, fail } = create();
  states.follow(client, [TOPIC]);
  say("trades", "live");
  say("status", "live", "halted");
  say("trades", "down");
  expect(states.channelStateOf(TOPIC, "trades")).toBe("down");
  expect(states.instrumentStateOf(TOPIC)).toBe("halted");
  say("status", "down", "delisted");
  fail("topic-gone");
  expect(states.instrumentStateOf(TOPIC)).toBe("delisted");
});

test("what is listed anew is not delisted any more", () => {
  const { client, states, say } = create();
  states.follow(client, [TOPIC]);
  say("status", "down", "delisted");
  say("trades", "live");
  expect(states.instrumentStateOf(TOPIC)).toBeUndefined();
});

test("others are followed in place of these, and after an overflow the same once more", () => {
  const { client, followed, states, say, fail } = create();
  states.follow(client, [TOPIC]);
  states.follow(client, [TOPIC]);
  fail("buffer-overflow");
  states.follow(client, [TOPIC]);
  say("trades", "live");
  states.follow(client, ["two:A-USD"]);
  expect(followed).toEqual([[TOPIC], [TOPIC], ["two:A-USD"]]);
  expect(states.channelStateOf(TOPIC, "trades")).toBeUndefined();
});
