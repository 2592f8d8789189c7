import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { StreamLogError } from "#bus/stream-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LOOK_MS, RETRY_MS, StreamKeeper } from "./stream-keeper.ts";

const SETTINGS = { storage: "file", replicas: 1, bytesMax: 1e9, ageMsMax: 1e6 } as const;

function rig(storage: "file" | "memory" = "file") {
  const clock = new ManualClock();
  const said: string[] = [];
  const asked: string[] = [];
  const state = { fails: false };
  const say = (level: string) => (_: object, message: string) => {
    said.push(`${level}: ${message.slice(0, 30)}`);
  };
  const keeper = new StreamKeeper({
    log: {
      ensure: async (venue, settings) => {
        asked.push(venue);
        if (state.fails) throw new StreamLogError("log-unavailable", "no answer");
        return { ...settings, storage, name: venue, entries: 1, bytes: 2, oldestTimeUs: 3 };
      },
    },
    clock,
    logger: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
    venues: ["binance", "kraken"],
    settings: SETTINGS,
  });
  const kept = () => keeper.standings.map(({ isKept }) => isKept);
  return { clock, keeper, said, asked, state, kept };
}

const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
};

test("makes a stream for each venue, and looks after them at its interval", async () => {
  const { clock, keeper, asked, said, kept } = rig();
  expect(keeper.notReadyReasons).toEqual(["stream-log-not-stored"]);
  keeper.start();
  await settle();
  expect(asked).toEqual(["binance", "kraken"]);
  expect(kept()).toEqual([true, true]);
  expect(keeper.notReadyReasons).toEqual([]);
  clock.advance(LOOK_MS - 1);
  await settle();
  expect(asked.length).toBe(2);
  clock.advance(1);
  await settle();
  expect(asked.length).toBe(4);
  expect(said.length).toBe(2);
});

test("says once that nothing is kept, tries on, and says when it is kept again", async () => {
  const { clock, keeper, said, state, kept } = rig();
  state.fails = true;
  keeper.start();
  await settle();
  for (let round = 0; round < 3; round += 1) {
    clock.advance(RETRY_MS);
    await settle();
  }
  expect(kept()).toEqual([false, false]);
  expect(keeper.notReadyReasons).toEqual(["stream-log-not-stored"]);
  expect(said).toEqual(Array.from({ length: 2 }, () => "warn: JetStream does not keep what i"));
  state.fails = false;
  clock.advance(RETRY_MS);
  await settle();
  expect(kept()).toEqual([true, true]);
  expect(said.slice(2)).toEqual(
    Array.from({ length: 2 }, () => "info: JetStream keeps what is publis"),
  );
  state.fails = true;
  clock.advance(LOOK_MS);
  await settle();
  expect([kept(), said.length]).toEqual([[false, false], 6]);
});

test("says that a stream has another storage than is wanted", async () => {
  const { keeper, said } = rig("memory");
  keeper.start();
  await settle();
  expect(said.filter((line) => line.startsWith("warn"))).toEqual([
    "warn: the storage of a stream that e",
    "warn: the storage of a stream that e",
  ]);
});

test("asks nothing after it was closed", async () => {
  const { clock, keeper, asked } = rig();
  keeper.start();
  keeper.close();
  await settle();
  clock.advance(LOOK_MS * 2);
  await settle();
  expect(asked).toEqual(["binance"]);
  expect(clock.pending).toBe(0);
});
