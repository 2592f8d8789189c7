import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Client } from "@tickwire/client";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { killAll, startCli } from "./cli-process.ts";

// What the dashboard says of a market that its venue halts, lists, or takes off the list meanwhile.

/** ETH-USD is halted almost always, and the list changes about every second. */
const SIMULATED = {
  instruments: 2,
  perpetuals: 0,
  haltIntervalMs: 1_000,
  listingIntervalMs: 1_000,
};
const LISTED_FIRST = ["BTC-USD", "ETH-USD"];
const LIMITS = { timeout: 60_000, interval: 100 };

describe.skipIf(lacksChromium)("markets that come, stand still and go, in the dashboard", () => {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-listing-"));
  let browser: Browser;
  let page: Page;
  let client: Client;
  let url: string;

  beforeAll(async () => {
    const port = await findFreePort();
    const config = join(folder, "market.json");
    const venues = [{ id: "simulated", simulated: SIMULATED }];
    writeFileSync(config, JSON.stringify({ ingest: { venues } }));
    const ports = ["--port", String(port), "--admin-port", "0"];
    const dev = startCli(["dev", "--config", config, ...ports]);
    await dev.waitFor("stdout", /streams simulated/);
    url = `http://127.0.0.1:${port}/`;
    client = await connect(url);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  }, 60_000);

  afterAll(async () => {
    client?.close();
    await browser?.close();
    await killAll();
    rmSync(folder, { recursive: true });
  });

  const words = () => page.textContent(".is-stopped", { timeout: 1_000 }).catch(() => "");

  test("says that a market is halted, whose last book and prices stay", async () => {
    await page.goto(`${url}#topic=simulated:ETH-USD`);
    await untilInPage(page, "Number(document.querySelector('.panel-book')?.dataset.sequence) > 0");
    await expect.poll(words, LIMITS).toBe("halted");
    expect(await page.textContent("h1")).toBe("ETH-USD");
    expect(await page.locator(".asks .row:visible").count()).toBeGreaterThan(2);
  });

  test("shows what is listed later, and says when it is not listed any more", async () => {
    let shown = "";
    let turn = 0;
    /** It may have ended before the page is there; then another one is looked at. */
    const showsLater = async (): Promise<boolean> => {
      const { instruments } = await client.rpc.listInstruments({ venue: "simulated" });
      const later = instruments.filter(({ symbol }) => !LISTED_FIRST.includes(symbol));
      shown = later[turn % Math.max(1, later.length)]?.symbol ?? "";
      if (shown === "") return false;
      turn += 1;
      await page.goto(`${url}?turn=${turn}#topic=simulated:${shown}`);
      await untilLive(page);
      return (await page.textContent("h1")) === shown;
    };
    await expect.poll(showsLater, LIMITS).toBe(true);
    await expect.poll(words, LIMITS).toBe("not listed any more");
    expect(await page.textContent("h1")).toBe(shown);
    await untilInPage(page, "document.querySelector('#book-badge').dataset.state !== 'live'");
    expect(await page.getAttribute("html", "data-connection")).toBe("connected");
  }, 150_000);
});
