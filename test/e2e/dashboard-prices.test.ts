import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { environmentOfTests } from "./cli-process.ts";

// Prices as small and as large as there are, at a venue that does not say their steps.

const MARKET = join(import.meta.dirname, "../bench/dashboard/market.mjs");

describe.skipIf(lacksChromium)("prices of any magnitude in the dashboard", () => {
  let browser: Browser;
  const markets: ChildProcess[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const market of markets) market.kill();
  });

  test.each([
    { about: "0.0000000095", priceScale: 15, close: /^0\.0₈\d{4}$/ },
    { about: "950,000", priceScale: 1, close: /^\d{3},\d{3}\.\d\d$/ },
  ])("about $about, whose steps nobody says", async ({ priceScale, close }) => {
    const sizes = { instruments: 20, tickers: 20, tradesPerSecond: 50, candles: 100 };
    const options = JSON.stringify({ ...sizes, priceScale, hasIncrements: false });
    const market = fork(MARKET, [options], { execArgv: [], env: environmentOfTests() });
    markets.push(market);
    const [{ port }] = (await once(market, "message")) as [{ port: number }];
    const page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`http://127.0.0.1:${port}/`);
    await untilLive(page);
    await untilInPage(page, "Number(document.querySelector('.panel-chart').dataset.bars) > 50");
    await untilInPage(page, "document.querySelectorAll('.tape .row:not([hidden])').length > 2");
    const price = 9_500_000 / 10 ** priceScale;
    const isNear = (text: string | null | undefined): void => {
      // Of a small number the zeros are counted.
      const whole = text?.replace(/0([₀-₉])/, (_, count) =>
        "0".repeat("₀₁₂₃₄₅₆₇₈₉".indexOf(count)),
      );
      const share = Number(whole?.replaceAll(/[^\d.]/g, "")) / price;
      expect(share, `${text} for about ${price}`).toBeGreaterThan(0.8);
      expect(share, `${text} for about ${price}`).toBeLessThan(1.2);
    };
    isNear(await page.textContent(".asks .row:not([hidden]) .price"));
    isNear(await page.textContent(".tape .row:not([hidden]) .num"));
    const legend = await page.textContent(".panel-chart .legend span:nth-child(4) b");
    isNear(legend);
    expect(legend).toMatch(close);
    for (const key of ["2", "3"]) await page.keyboard.press(key);
    await untilInPage(page, "Number(document.querySelector('.panel-heatmap').dataset.columns) > 1");
    expect(problems).toEqual([]);
    await page.close();
  });
});
