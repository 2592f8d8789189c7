import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { connect } from "@tickwire/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli, type CliProcess } from "./cli-process.ts";

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

  test("draws the depth and the book over time, and keeps the choice in the address", async () => {
    /** Different colours on the canvas: an empty one has one. */
    const colours = (place: string) =>
      page.evaluate(`(() => {
      const canvas = document.querySelector("${place} canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`) as Promise<number>;
    await page.keyboard.press("2");
    await expect.poll(() => colours(".depth-place"), { timeout: 30_000 }).toBeGreaterThan(5);
    await page.keyboard.press("3");
    await until("Number(document.querySelector('.panel-depth').dataset.columns) > 3");
    await expect.poll(() => colours(".heatmap-place"), { timeout: 30_000 }).toBeGreaterThan(20);
    expect(page.url()).toContain("stage=heatmap");
    await page.keyboard.press("1");
    expect(page.url()).not.toContain("stage=");
    expect(problems).toEqual([]);
  });

  test("an alert is made by keyboard, fires with a text, and is there after a reload", async () => {
    const symbol = "BTC-USD-PERP";
    await page.keyboard.press("/");
    await page.keyboard.type("btc perp");
    await page.click(`.market-row:visible >> text=${symbol}`);
    await isLive();
    // A dollar away on both sides: whichever way the price goes, it soon crosses one.
    await page.keyboard.press("a");
    const value = page.locator("dialog.alerts input[type=number]");
    const now = Number(await value.inputValue());
    for (const [kind, price] of [
      ["price-above", now + 1],
      ["price-below", now - 1],
    ] as const) {
      await page.selectOption("dialog.alerts select", kind);
      await value.fill(String(price));
      await value.press("Enter");
    }
    expect(await page.locator(".alert-list li").count()).toBe(2);
    await page.keyboard.press("Escape");
    await until("document.querySelector('.toast')?.textContent.includes('BTC-USD-PERP') === true");
    await page.reload();
    await isLive();
    await page.keyboard.press("a");
    expect(await page.locator(".alert-list li").count()).toBe(2);
    await page.locator(".alert-list button").first().click();
    await page.locator(".alert-list button").first().click();
    expect(await page.textContent(".alert-list")).toBe("No alerts yet.");
    await page.keyboard.press("Escape");
  });

  test("shows what a client of its own sees at the same sequence", async () => {
    const seen = () =>
      page.evaluate(`(() => {
        const row = document.querySelector(".asks .row:not([hidden])");
        const [price, size] = [...row.querySelectorAll(".num")].map((one) => one.textContent);
        const { sequence } = document.querySelector(".panel-book").dataset;
        return { sequence: Number(sequence), price: price.replaceAll(",", ""), size };
      })()`) as Promise<{ sequence: number; price: string; size: string }>;
    const topic = (await page.textContent("h1"))?.split(" · ").toReversed().join(":") ?? "";
    const client = await connect(`http://127.0.0.1:${port}`);
    const books = new Map<number, string>();
    const subscription = client.onBook(topic, (book) => {
      const ask = book.bbo.ask;
      books.set(book.sequence, `${Number(ask?.priceText)} ${Number(ask?.sizeText)}`);
    });
    try {
      const same = async (): Promise<boolean> => {
        const { sequence, price, size } = await seen();
        const own = books.get(sequence);
        if (own === undefined) return false;
        expect(`${Number(price)} ${Number(size)}`).toBe(own);
        return true;
      };
      await expect.poll(same, { timeout: 30_000, interval: 50 }).toBe(true);
    } finally {
      subscription.close();
      client.close();
    }
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
