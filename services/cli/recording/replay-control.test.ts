import { beforeEach, describe, expect, test } from "vitest";
import { ReplayPlayer } from "#recording/replay/replay-player.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { replayCommand } from "./replay-control.ts";
import { pressKey } from "./replay-keys.ts";

const START_US = Date.UTC(2026, 10, 26, 10) * 1_000;

let player: ReplayPlayer;
beforeEach(() => {
  player = new ReplayPlayer({
    source: {
      firstTimeUs: START_US,
      lastTimeUs: START_US + 60e6,
      entries: async function* () {
        yield [];
      },
    },
    sink: {
      play: () => undefined,
      reset: () => undefined,
      absorb: () => undefined,
      restate: () => undefined,
      settle: async () => undefined,
    },
    clock: new ManualClock(),
    fromTimeUs: START_US,
    toTimeUs: START_US + 60e6,
    speed: 1,
    loop: false,
    paused: false,
  });
});

describe("/admin/replay", () => {
  test.each([
    [{ action: "pause" }, { state: "paused" }],
    [{ action: "step" }, { state: "paused" }],
    [{ action: "speed", speed: 4 }, { speed: 4 }],
    [{ action: "speed", speed: "max" }, { speed: "max" }],
    [{ action: "loop", loop: true }, { loop: true }],
    [
      { action: "seek", to: 12.5 },
      { position: "2026-11-26T10:00:12.500Z", positionSeconds: 12.5 },
    ],
    [{ action: "seek", to: "12.5" }, { positionSeconds: 12.5 }],
    [{ action: "seek", to: "2026-11-26T10:00:30Z" }, { positionSeconds: 30 }],
  ])("does %j", (asked, shown) => {
    expect(replayCommand(player).run(asked)).toMatchObject(shown);
    expect(replayCommand(player).show()).toMatchObject(shown);
  });

  test.each([
    [undefined],
    [null],
    ["pause"],
    [{}],
    [{ action: "stop" }],
    [{ action: "pause", force: true }],
    [{ action: "step", count: 0 }],
    [{ action: "step", count: 1_000_001 }],
    [{ action: "speed" }],
    [{ action: "speed", speed: 0.009 }],
    [{ action: "speed", speed: 10_001 }],
    [{ action: "loop", loop: "yes" }],
    [{ action: "seek", to: "yesterday" }],
    [{ action: "seek", to: -1 }],
  ])("says what is wrong with %j, and changes nothing", (asked) => {
    const before = player.status;
    expect(replayCommand(player).run(asked)).toEqual(expect.any(String));
    expect(player.status).toEqual(before);
  });
});

describe("a key", () => {
  test.each([
    [[" "], { state: "paused" }],
    [[" ", " "], { state: "playing" }],
    [["."], { state: "paused" }],
    [["+", "+"], { speed: 4 }],
    [["-"], { speed: 0.5 }],
    [["l"], { loop: true }],
    [["\u001b[C", "\u001b[C"], { positionTimeUs: START_US + 20e6 }],
    [["\u001b[C", "\u001b[C", "\u001b[D"], { positionTimeUs: START_US + 10e6 }],
    [["\u001b[D"], { positionTimeUs: START_US }],
    [["\u001b[C", "0"], { positionTimeUs: START_US }],
    [["x"], { state: "playing", speed: 1 }],
  ])("after %j the replay is %j", (keys, shown) => {
    for (const key of keys) expect(pressKey(player, key)).toBe(false);
    expect(player.status).toMatchObject(shown);
  });

  test.each(["q", "\u0003", "\u0004"])("%j ends the replay", (key) => {
    expect(pressKey(player, key)).toBe(true);
  });

  test("halves the speed down to its limit", () => {
    player.setSpeed(0.011);
    pressKey(player, "-");
    expect(player.status.speed).toBe(0.01);
  });
});
