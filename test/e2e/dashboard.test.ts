import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { connect } from "@tickwire/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { killAll, startCli, type CliProcess } from "./cli-process.ts";

// The dashboard as somebody has it who started Tickwire and opened the address.

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");

describe.skipIf(lacksChromium)("the dashboard in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let dev: CliProcess;
  let port: number;
  const problems: string[] = [];

  const start = async (): Promise<void> => {
    dev = startCli(["dev", "--port", String(port), "--admin-port", "0"]);
    await dev.waitFor("stdout", /streams simulated/);
  };
  /** Connections that the gateway has. */
  const connections = async (): Promise<number> => {
    const [address] = await dev.waitFor("stdout", /http:\S+\/metrics/);
    const metrics = await (await fetch(address)).text();
    const counts = metrics.matchAll(/^tickwire_gateway_connections(?:\{.*\})? (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const until = (expression: string) => untilInPage(page, expression);
  const isLive = () => untilLive(page);

  beforeAll(async () => {
    port = await findFreePort();
    await start();
    browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
    page = await context.newPage();
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

  test("goes back by 2,000 candles as one scrolls, and on live without a seam", async () => {
    const bars = () =>
      page.evaluate(
        "Number(document.querySelector('.panel-chart').dataset.bars)",
      ) as Promise<number>;
    const chart = (await page.locator(".chart-host").boundingBox())!;
    const [left, right, y] = [chart.x + 60, chart.x + chart.width - 160, chart.y + 200];
    const scrollBack = async (): Promise<boolean> => {
      await page.mouse.move(left, y);
      await page.mouse.down();
      await page.mouse.move(right, y, { steps: 4 });
      await page.mouse.up();
      return (await bars()) > 2_000;
    };
    // Far out, so that a drag goes over many candles.
    await page.mouse.move((left + right) / 2, y);
    for (let turn = 0; turn < 12; turn += 1) await page.mouse.wheel(0, 240);
    await expect.poll(scrollBack, { timeout: 30_000, interval: 50 }).toBe(true);
    const last = await page.getAttribute(".panel-chart", "data-last");
    await until(`document.querySelector(".panel-chart").dataset.last !== "${last}"`);
    // Where the gateway has no candle the chart has none, and nowhere else.
    const client = await connect(`http://127.0.0.1:${port}`, {});
    const starts = async (): Promise<number[]> => {
      const market = { venue: "simulated", symbol: "BTC-USD", intervalMs: 60_000 };
      const firstMs = Number(await page.getAttribute(".panel-chart", "data-first"));
      const found: number[] = [];
      for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
        const asked = { ...market, fromTimeUs: firstMs * 1_000, pageSize: 1_000, pageToken };
        const answer = await client.rpc.getCandles(asked);
        found.push(...answer.candles.map(({ openTimeUs }) => openTimeUs / 60_000_000));
        pageToken = answer.nextPageToken;
      }
      return found;
    };
    const isWhole = async (): Promise<boolean> => {
      const known = await starts();
      const empty = known.at(-1)! - known[0]! + 1 - known.length;
      return (await page.getAttribute(".panel-chart", "data-empty")) === String(empty);
    };
    await expect.poll(isWhole, { timeout: 40_000, interval: 500 }).toBe(true);
    client.close();
    expect(await page.textContent("#chart-note")).toMatch(/^[2-9],\d{3} candles/);
  });

  test("finds a market by words, and keeps the choice and the theme", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("eth perp");
    await page.click(".market-row:visible >> text=ETH-USD-PERP");
    await page.keyboard.press("t");
    await isLive();
    const address = page.url();
    expect(address).toContain("ETH-USD-PERP");
    await page.goto(`http://127.0.0.1:${port}/?again`);
    await isLive();
    expect(new URL(page.url()).hash).toBe(new URL(address).hash);
    expect(await page.textContent("h1")).toBe("ETH-USD-PERP");
  });

  test("holds the tape, marks a favourite and scrolls the chart by keys", async () => {
    const star = page.locator(".market-row[aria-selected=true]:visible .star.on");
    await page.keyboard.press("s");
    await expect.poll(() => star.count(), { timeout: 30_000 }).toBe(1);
    await page.keyboard.press("s");
    await expect.poll(() => star.count(), { timeout: 30_000 }).toBe(0);
    await page.keyboard.press("p");
    expect(await page.textContent(".panel-trades .badge")).toBe("paused");
    await page.keyboard.press("p");
    expect(await page.locator(".panel-trades .badge").isVisible()).toBe(false);
    await page.focus(".chart-host");
    for (let turn = 0; turn < 5; turn += 1) await page.keyboard.press("-");
    const goesBack = async (): Promise<boolean> => {
      await page.keyboard.press("PageUp");
      return page.evaluate("document.querySelector('.panel-chart').dataset.bars > 1_500");
    };
    await expect.poll(goesBack, { timeout: 30_000, interval: 50 }).toBe(true);
    await page.keyboard.press("End");
  });

  test("moves, joins and resizes panels by keyboard and pointer, and keeps the layout", async () => {
    const box = async (id: string) => (await page.locator(`.panel-${id}`).boundingBox())!;
    const border = "[aria-label='Border between Markets and Chart']";
    const wide = await box("markets");
    await page.focus(border);
    await page.keyboard.press("ArrowRight");
    expect((await box("markets")).width).toBeGreaterThan(wide.width + 10);
    const grip = await page.locator(border).boundingBox();
    await page.mouse.move(grip!.x + 3, grip!.y + 200);
    await page.mouse.down();
    await page.mouse.move(grip!.x - 40, grip!.y + 200, { steps: 3 });
    await page.mouse.up();
    expect((await box("markets")).width).toBeLessThan(wide.width);
    // The tape goes below the chart by its heading, then beside the markets by keys.
    const [trades, chart] = [await box("trades"), await box("chart")];
    await page.mouse.move(trades.x + 120, trades.y + 15);
    await page.mouse.down();
    await page.mouse.move(chart.x + chart.width / 2, chart.y + chart.height - 30, { steps: 5 });
    await page.mouse.up();
    expect(await box("trades")).toMatchObject({ x: chart.x });
    await page.focus(".panel-trades .grip");
    await page.keyboard.press("Shift+ArrowLeft");
    expect((await box("trades")).x).toBeLessThan(chart.x);
    expect(await page.locator(".panel-markets").isVisible()).toBe(false);
    const address = page.url();
    expect(address).toContain("layout=");
    await page.goto(`http://127.0.0.1:${port}/?moved`);
    await isLive();
    expect(new URL(page.url()).hash).toBe(new URL(address).hash);
    expect(await page.locator(".panel-markets").isVisible()).toBe(false);
    await page.click(".layout-menu summary");
    await page.click(".layout-menu >> text=Trading");
    await page.keyboard.press("Escape");
    expect(await page.locator(".panel-markets").isVisible()).toBe(true);
    expect(page.url()).not.toContain("layout=");
  });

  test("draws the depth and the book over time, and keeps the choice in the address", async () => {
    /** Different colours on the canvas: an empty one has one. */
    const colours = (place: string) =>
      page.evaluate(`(() => {
      const { width, height } = document.querySelector("${place} canvas");
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      // Chromium complains on the console of an often-read canvas that did not say so.
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(document.querySelector("${place} canvas"), 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`) as Promise<number>;
    await page.keyboard.press("2");
    await expect.poll(() => colours(".panel-depth"), { timeout: 30_000 }).toBeGreaterThan(5);
    await page.keyboard.press("3");
    await until("Number(document.querySelector('.panel-heatmap').dataset.columns) > 3");
    await expect.poll(() => colours(".panel-heatmap"), { timeout: 30_000 }).toBeGreaterThan(20);
    expect(page.url()).toContain("cdh2");
    await page.keyboard.press("1");
    expect(page.url()).not.toContain("layout=");
    expect(problems).toEqual([]);
  });

  test("an alert is made by keyboard, fires with a text, and is there after a reload", async () => {
    const symbol = "BTC-USD-PERP";
    await page.keyboard.press("/");
    await page.keyboard.type("btc perp");
    await page.click(`.market-row:visible >> text=${symbol}`);
    await isLive();
    // At several distances on both sides: whichever way the price goes, it soon crosses one.
    await page.keyboard.press("a");
    const value = page.locator("dialog.alerts input[type=number]");
    const now = Number(await value.inputValue());
    for (const kind of ["price-above", "price-below"]) {
      await page.selectOption("dialog.alerts select", kind);
      for (const distance of [2, 10, 25]) {
        await value.fill(String(kind === "price-above" ? now + distance : now - distance));
        await value.press("Enter");
      }
    }
    expect(await page.locator(".alert-list li").count()).toBe(6);
    await page.keyboard.press("Escape");
    await until("document.querySelector('.toast')?.textContent.includes('BTC-USD-PERP') === true");
    await page.reload();
    await isLive();
    await page.keyboard.press("a");
    expect(await page.locator(".alert-list li").count()).toBe(6);
    for (let left = 6; left > 0; left -= 1)
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
    const topic = `simulated:${await page.textContent("h1")}`;
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

  test("a second window goes its own way over the connection of the first", async () => {
    await isLive();
    const other = await page.context().newPage();
    await other.goto(`http://127.0.0.1:${port}/?window=2#topic=simulated:ETH-USD`);
    await untilLive(other);
    expect(await other.textContent("h1")).toBe("ETH-USD");
    await expect.poll(connections, { timeout: 30_000 }).toBe(1);
    // Favourites and alerts are those of all windows.
    for (const count of [1, 0]) {
      await page.keyboard.press("s");
      await untilInPage(other, `document.querySelectorAll(".star.on").length === ${count}`);
    }
    const sequence = await other.getAttribute(".panel-book", "data-sequence");
    await page.reload();
    await isLive();
    await untilInPage(
      other,
      `document.querySelector(".panel-book").dataset.sequence !== "${sequence}"`,
    );
    await other.close();
    expect(await page.textContent("h1")).toBe("BTC-USD-PERP");
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
    await until("document.querySelector('#book-badge').dataset.state === 'disconnected'");
    await start();
    await until("document.querySelector('#connection').textContent === 'Live'");
    await isLive();
    expect(await page.getAttribute("html", "data-connection")).toBe("connected");
  });
});
