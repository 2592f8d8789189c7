import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { environmentOfTests } from "./cli-process.ts";

// A list of 10,000 instruments, as test/bench/dashboard.bench.mjs measures it.

const MARKET = join(import.meta.dirname, "../bench/dashboard/market.mjs");

describe.skipIf(lacksChromium)("the dashboard with 10,000 instruments", () => {
  let browser: Browser;
  let page: Page;
  let market: ChildProcess;

  beforeAll(async () => {
    const options = JSON.stringify({ tickers: 200, tradesPerSecond: 50, candles: 100 });
    // It runs on the build, as users do, and not on the sources, as tests do.
    market = fork(MARKET, [options], { execArgv: [], env: environmentOfTests() });
    const [{ port }] = (await once(market, "message")) as [{ port: number }];
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`http://127.0.0.1:${port}/`);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    market?.kill();
  });

  const countSays = (text: string): Promise<void> =>
    untilInPage(page, `document.querySelector("#market-count").textContent === "${text}"`);

  test("lists and finds all of them with few rows on the page, and shows the one chosen", async () => {
    await untilLive(page);
    await countSays("10,000 of 10,000");
    expect(await page.locator(".market-row").count()).toBeLessThan(60);
    await page.keyboard.press("/");
    await page.keyboard.type("sym9876");
    await countSays("1 of 10,000");
    await page.click(".market-row:visible");
    await untilInPage(page, "document.querySelector('h1').textContent === 'SYM9876-USDT'");
    await page.fill(".panel-markets input", "");
    await countSays("10,000 of 10,000");
    await page.evaluate("document.querySelector('.market-list').scrollTop = 1e9");
    await untilInPage(
      page,
      "[...document.querySelectorAll('.market-row:not([hidden]) b')].some((one) => /^SYM99/.test(one.textContent))",
    );
    expect(await page.locator(".market-row").count()).toBeLessThan(60);
  });
});
