import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort, killAll, startCli, type CliProcess } from "./cli-process.ts";

// The dashboard as somebody has it who started Tickwire and opened the address.

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const folders = (process.env["PATH"] ?? "").split(delimiter);
const executablePath = folders
  .flatMap((folder) => ["chromium", "chromium-browser"].map((name) => join(folder, name)))
  .find(existsSync);
const mustRun = process.env["CI"] !== undefined;

describe.skipIf(executablePath === undefined && !mustRun)("the dashboard in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let dev: CliProcess;
  let port: number;
  const problems: string[] = [];

  const start = async (): Promise<void> => {
    dev = startCli(["dev", "--port", String(port), "--admin-port", "0"]);
    await dev.waitFor("stdout", /streams simulated/);
  };
  /** What waits inside the page would be code made of text, which the page's policy forbids. */
  const until = (expression: string) =>
    expect.poll(() => page.evaluate(expression), { timeout: 30_000, interval: 100 }).toBe(true);
  const isLive = () => until("document.querySelector('#book-badge')?.dataset.state === 'live'");

  beforeAll(async () => {
    if (executablePath === undefined) throw new Error("there is no chromium on PATH");
    port = await findFreePort();
    await start();
    const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    browser = await chromium.launch({ executablePath, args, headless: true });
    page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => problems.push(message.text()));
    await page.goto(`http://127.0.0.1:${port}/`);
  });

  afterAll(async () => {
    await browser?.close();
    await killAll();
  });

  test("shows a book and candles that move, and breaks no rule of its policy", async () => {
    await isLive();
    const sequence = await page.getAttribute(".panel-book", "data-sequence");
    await until(`document.querySelector(".panel-book").dataset.sequence !== "${sequence}"`);
    await until("Number(document.querySelector('.panel-chart').dataset.bars) > 0");
    for (const rows of [".asks .row:visible", ".tape .row:visible"]) {
      const count = () => page.locator(rows).count();
      await expect.poll(count, { timeout: 30_000 }).toBeGreaterThan(2);
    }
    expect(problems).toEqual([]);
  });

  test("finds a market by words, and keeps the choice, the theme and the sizes", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("eth perp");
    await page.click(".market-row:visible >> text=ETH-USD-PERP");
    await page.keyboard.press("t");
    await page.focus(".border-marketsWidth");
    await page.keyboard.press("ArrowRight");
    await isLive();
    const address = page.url();
    expect(address).toContain("ETH-USD-PERP");
    await page.goto(`http://127.0.0.1:${port}/?again`);
    await isLive();
    expect(new URL(page.url()).hash).toBe(new URL(address).hash);
    expect(await page.textContent("h1")).toBe("ETH-USD-PERP · simulated");
    expect(await page.getAttribute(".border-marketsWidth", "aria-valuenow")).toBe("320");
  });

  test("has no serious finding of accessibility", async () => {
    await page.evaluate(axe);
    const found = (await page.evaluate("axe.run()")) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = found.violations.filter(({ impact }) => /serious|critical/.test(impact));
    expect(serious.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`)).toEqual([]);
  });

  test("says that the connection is lost, and goes on when the gateway is back", async () => {
    await dev.stop();
    await until("/lost/.test(document.querySelector('#connection').textContent)");
    expect(await page.locator("#book-badge").textContent()).not.toContain("live");
    await start();
    await until("document.querySelector('#connection').textContent === 'Live'");
    await isLive();
  });
});
