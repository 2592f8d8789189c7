import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { connect } from "@tickwire/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { requireNginx, startNginx } from "#test/support/nginx.ts";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { killAll, startCli } from "./cli-process.ts";

// The dashboard where not everything is as usual: a clock that is wrong, a page that slept, a
// gateway below a path of a proxy, a proxy without WebSockets.

const HOUR_MS = 3_600_000;
const nginxBinary = requireNginx();
/** A layout with book, feed health, heatmap and other venues. */
const LAYOUT = "layout=1000R2-600cb-400hve";
const VIEW = `topic=simulated:BTC-USD-PERP&${LAYOUT}`;

/** In the page: its clock is wrong by so much. */
function setClock(shiftMs: number): void {
  const Real = Date;
  const now = (): number => Real.now() + shiftMs;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: []) => (args.length === 0 ? new target(now()) : new target(...args)),
    get: (target, key, self) => (key === "now" ? now : Reflect.get(target, key, self)),
  });
}

describe.skipIf(lacksChromium)("the dashboard where not everything is as usual", () => {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-unusual-"));
  let browser: Browser;
  let context: BrowserContext;
  let port: number;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    port = await findFreePort();
    const dev = startCli(["dev", "--port", String(port), "--admin-port", "0"]);
    await dev.waitFor("stdout", /streams simulated/);
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const close of closing) await close();
    await killAll();
    rmSync(folder, { recursive: true });
  });

  /** A browser of its own, without the shared worker of the tests before. */
  const open = async ({
    url = `http://127.0.0.1:${port}/`,
    init,
  }: {
    readonly url?: string;
    readonly init?: (page: Page) => Promise<unknown>;
  } = {}): Promise<Page> => {
    await context?.close();
    context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
    const page = await context.newPage();
    await init?.(page);
    await page.goto(`${url}#${VIEW}`);
    return page;
  };
  const goesOn = async (page: Page): Promise<void> => {
    const sequence = await page.getAttribute(".panel-book", "data-sequence");
    await untilInPage(
      page,
      `Number(document.querySelector(".panel-book").dataset.sequence) > ${sequence}`,
    );
  };
  /** The line of the simulated venue in Feed health, by the headings of its columns. */
  const health = async (page: Page): Promise<Record<string, string>> =>
    page.evaluate(`(() => {
      const texts = (cells) => [...cells].map(({ textContent }) => textContent);
      const names = texts(document.querySelectorAll(".panel-health th"));
      const row = document.querySelector(".panel-health tbody tr");
      return Object.fromEntries(texts(row?.children ?? []).map((text, at) => [names[at], text]));
    })()`);

  test.each([
    ["ahead", HOUR_MS],
    ["behind", -HOUR_MS],
  ])("a browser whose clock is an hour %s shows true times", async (_, shiftMs) => {
    const page = await open({ init: (one) => one.addInitScript(setClock, shiftMs) });
    await untilLive(page);
    const shown = { timeout: 30_000, interval: 100 };
    await expect.poll(async () => (await health(page))["p99"], shown).toMatch(/[1-9].* m?s$/);
    await expect.poll(async () => (await health(page))["Since"], shown).toMatch(/^[1-9]\d* s$/);
    // Funding is every eight hours of UTC.
    const isFundingTrue = async (): Promise<boolean> => {
      const leftMs = 8 * HOUR_MS - (Date.now() % (8 * HOUR_MS));
      const words = await page.textContent(".panel-venues");
      const left = /% in (\d+) (s|min|h)/.exec(words ?? "");
      const unitMs = { s: 1_000, min: 60_000, h: HOUR_MS }[left?.[2] ?? ""] ?? Number.NaN;
      const middleMs = Number(left?.[1]) * unitMs + unitMs / 2;
      return Math.abs(middleMs - leftMs) < unitMs / 2 + 120_000;
    };
    await expect.poll(isFundingTrue, shown).toBe(true);
  });

  test("goes on when the clock of the browser is set back by an hour", async () => {
    const page = await open();
    await untilLive(page);
    await page.keyboard.press("3");
    await untilInPage(page, "Number(document.querySelector('.panel-heatmap').dataset.columns) > 1");
    await page.evaluate(setClock, -HOUR_MS);
    await goesOn(page);
    const columns = await page.getAttribute(".panel-heatmap", "data-columns");
    await untilInPage(
      page,
      `Number(document.querySelector('.panel-heatmap').dataset.columns) > ${columns}`,
    );
    expect(await page.textContent("#connection")).toBe("Live");
  });

  test("a page that stood still goes on as soon as it may", async () => {
    const page = await open();
    await untilLive(page);
    const sequence = async () =>
      Number(await page.getAttribute(".panel-book", "data-sequence", { timeout: 1_000 }));
    const before = await sequence();
    // As a browser freezes a page: no timer of it runs, and nothing that comes is taken.
    const session = await context.newCDPSession(page);
    await session.send("Debugger.enable");
    const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
    await session.send("Debugger.pause");
    await paused;
    const client = await connect(`http://127.0.0.1:${port}`);
    const later = new Promise<number>((resolve) => {
      client.onBook("simulated:BTC-USD-PERP", (book) => {
        if (book.sequence > before + 50) resolve(book.sequence);
      });
    });
    const reached = await later;
    client.close();
    await session.send("Debugger.resume");
    await expect.poll(sequence, { timeout: 30_000, interval: 100 }).toBeGreaterThan(reached);
    await untilLive(page);
    await goesOn(page);
    expect(await page.textContent("#connection")).toBe("Live");
  });

  test.skipIf(nginxBinary === undefined)("works below a path, and without WebSockets", async () => {
    const pass = (cut: string) =>
      `${cut} proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_buffering off;`;
    const upgrade =
      "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_of_upgrade;";
    const to = `proxy_pass http://127.0.0.1:${port}/;`;
    const nginx = await startNginx(folder, {
      server: `location /ticks/ { ${pass(to)} ${upgrade} }
    location /blocked/ { if ($http_upgrade) { return 403; } ${pass(to)} }`,
    });
    closing.push(() => nginx.close());
    for (const prefix of ["/ticks/", "/blocked/"]) {
      const page = await open({ url: `http://127.0.0.1:${nginx.port}${prefix}` });
      await untilLive(page);
      await goesOn(page);
      expect(await page.textContent("#connection")).toBe("Live");
    }
  });
});
