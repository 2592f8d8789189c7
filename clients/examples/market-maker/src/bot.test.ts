import { describe, expect, test } from "vitest";
import { Bot, type BotOptions } from "./bot.ts";
import type { Tick } from "./tick.ts";

const START_US = Date.UTC(2026, 10, 26) * 1_000;

function run(ticks: readonly Tick[], changes: Partial<BotOptions> = {}) {
  const lines: string[] = [];
  const bot = new Bot({
    scales: { price: 2, size: 1 },
    strategy: {
      halfSpreadMin: 5,
      volatilityFactor: 0,
      positionMax: 100,
      requoteMin: 1,
      averageUs: 1,
    },
    orderSize: 10,
    feeBasisPoints: 0,
    lossMax: 1_000,
    pauseUsMax: 5e6,
    startUs: START_US,
    stopUs: START_US + 60e6,
    log: (line) => lines.push(line.slice(11)),
    ...changes,
  });
  for (const tick of ticks) bot.onTick(tick);
  return { bot, lines };
}

function quote(second: number, mid: number): Tick {
  const sizes = { bidSize: 50, askSize: 50 };
  return { kind: "quote", timeUs: START_US + second * 1e6, bid: mid - 1, ask: mid + 1, ...sizes };
}

function trade(second: number, price: number, aggressor: "buyer" | "seller", size = 100): Tick {
  return { kind: "trade", timeUs: START_US + second * 1e6, price, size, aggressor };
}

describe("the bot", () => {
  test("quotes around the price, trades and says what it earned", () => {
    const ticks = [quote(0, 10_000), trade(1, 9_990, "seller"), trade(2, 10_010, "buyer")];
    const { bot, lines } = run(ticks);
    bot.finish();
    expect(lines).toEqual([
      "00:00:00.000000Z place bid 1.0 @ 99.95",
      "00:00:00.000000Z place ask 1.0 @ 100.05",
      "00:00:01.000000Z fill bid 1.0 @ 99.95",
      // A tenth of the position that it may have moves a quote by a tenth of the half spread, which
      // is less than a step for the ask.
      "00:00:01.000000Z place bid 1.0 @ 99.94",
      "00:00:02.000000Z fill ask 1.0 @ 100.05",
      "00:00:02.000000Z place bid 1.0 @ 99.95",
      "00:00:02.000000Z place ask 1.0 @ 100.05",
      "00:01:00.000000Z end 2 fills, position 0.0, fees 0.000, profit 0.100",
    ]);
  });

  test("counts fees", () => {
    const { bot, lines } = run([quote(0, 10_000), trade(1, 9_990, "seller")], {
      feeBasisPoints: 10,
    });
    bot.finish();
    expect(lines.at(-1)).toContain("fees 0.099");
  });

  test.each([
    [99, "place bid"],
    [100, "cancel bid"],
    [101, "cancel bid"],
  ])("at a position of %i of 100 says %s", (position, said) => {
    const { lines } = run(
      [quote(0, 10_000), trade(1, 9_000, "seller", position), quote(2, 9_000), quote(3, 9_100)],
      { orderSize: position },
    );
    const after = lines.slice(lines.findIndex((line) => line.includes("fill")) + 1);
    // A filled order is gone, so at the limit there is nothing to cancel.
    const bids = after.filter((line) => line.includes("bid")).map((line) => line.slice(17, 26));
    expect(bids.includes("place bid")).toBe(said === "place bid");
  });

  test.each([
    [9, false],
    [10, true],
    [11, true],
  ])("after a loss of %i of 10 is halted: %s", (loss, isHalted) => {
    // One unit bought at 99.95; the price falls by so much.
    const fallen = 9_995 - loss * 100;
    const ticks = [quote(0, 10_000), trade(1, 9_990, "seller"), quote(2, fallen), quote(3, fallen)];
    const { lines } = run([...ticks, quote(4, fallen + 50)], { lossMax: 10 });
    expect(lines.some((line) => line.includes("halt"))).toBe(isHalted);
    const halt = lines.findIndex((line) => line.includes("halt"));
    const placedLater = isHalted && lines.slice(halt).some((line) => line.includes("place"));
    expect(placedLater).toBe(false);
    expect(lines.some((line) => line.includes("close 1.0"))).toBe(isHalted);
  });

  test("takes its quotes back when events are missing, and comes again with the next quote", () => {
    const { bot, lines } = run([quote(0, 10_000)]);
    bot.onBreak("missing events");
    bot.onTick(trade(1, 9_000, "seller"));
    expect(lines.slice(2)).toEqual([
      "00:00:00.000000Z break missing events",
      "00:00:00.000000Z cancel bid",
      "00:00:00.000000Z cancel ask",
    ]);
    bot.onTick(quote(2, 10_000));
    expect(lines.at(-1)).toContain("place ask");
  });

  test.each([
    [4.999999, false],
    [5, false],
    [5.000001, true],
  ])("does the same after %d s without news: %s", (second, isBroken) => {
    const { lines } = run([quote(0, 10_000), quote(second, 10_000)]);
    expect(lines.some((line) => line.includes("break"))).toBe(isBroken);
  });

  test("counts nothing from before its start, and ends at its stop", () => {
    const { bot, lines } = run([quote(-1, 5_000), quote(60, 10_000), quote(61, 10_000)]);
    expect(lines).toEqual(["00:01:00.000000Z end 0 fills, position 0.0, fees 0.000, profit 0.000"]);
    expect(bot.isOver).toBe(true);
  });
});
