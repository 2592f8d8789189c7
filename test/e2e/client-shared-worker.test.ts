import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { filesForBrowser } from "../support/client-bundle.mjs";

// Several tabs of a real Chromium over one connection.

const PAGE = `
import { connectShared } from "@tickwire/client/shared-worker";
globalThis.connectShared = (options) =>
  connectShared(new URLSearchParams(location.search).get("gateway"), {
    workerUrl: "/worker.js",
    reconnect: { baseMs: 10, maxMs: 50 },
    ...options,
  });
document.body.dataset.ready = "yes";
`;
const WORKER = `import "@tickwire/client/shared-worker/script";`;

/** Chromium of this machine; undefined if there is none. */
function chromiumPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
}

const executablePath = chromiumPath();
const mustRun = process.env["CI"] !== undefined;
if (executablePath === undefined && !mustRun) {
  process.stderr.write("skipped: tabs that share a worker, because no chromium is on PATH\n");
}

describe.skipIf(executablePath === undefined && !mustRun)("tabs that share a worker", () => {
  let rig: Rig;
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    if (executablePath === undefined) throw new Error("there is no chromium on PATH");
    const scripts = new Map([
      ...(await filesForBrowser(PAGE, "page.js")),
      ...(await filesForBrowser(WORKER, "worker.js")),
    ]);
    server = createServer(({ url = "" }, response) => {
      const script = scripts.get(url.slice(1));
      response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
      const html = `<!doctype html><link rel="icon" href="data:,"><title>t</title><body><script type="module" src="/page.js"></script>`;
      response.end(script ?? html);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    browser = await chromium.launch({ executablePath, args, headless: true });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  beforeEach(async () => {
    rig = await Rig.start("node");
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    context = await browser.newContext();
  });

  afterEach(async () => {
    await context.close();
    await rig.stop();
  });

  async function open(script = ""): Promise<Page> {
    const page = await context.newPage();
    if (script !== "") await page.addInitScript(script);
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=ws://127.0.0.1:${rig.gateway.port}`);
    await page.waitForSelector("body[data-ready]", { state: "attached" });
    return page;
  }

  /** Connects, and keeps what comes of trades and a book. */
  const follow = (page: Page, depth = 0): Promise<unknown> =>
    page.evaluate(`(async () => {
      globalThis.client = await connectShared();
      globalThis.trades = [];
      globalThis.bid = "none";
      const started = new Promise((resolve) => {
        client.onTrades("fake:BTC-USDT", (trade) => trades.push(trade.sequence), {
          onNotice: ({ type }) => type === "continuity" && resolve(),
        });
      });
      client.onBook("fake:BTC-USDT", (book) => {
        globalThis.bid = book.bbo.bid?.priceText ?? "none";
      }, { depth: ${depth} });
      await started;
    })()`);

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await pause(10);
  }

  const sessions = () => rig.metric("tickwire_gateway_connections");
  const subscriptions = () => rig.metric("tickwire_gateway_subscriptions");
  const publish = (price: number): void => {
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price)]);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, 1)]);
  };
  const seen = (page: Page) => page.evaluate("[globalThis.trades.join(), globalThis.bid]");

  test("have one connection, each its own streams, books and calls", async () => {
    const [one, other] = [await open(), await open()];
    await follow(one);
    publish(100);
    await until(async () => String(await seen(one)) === "1,1");
    await follow(other);
    publish(200);
    await until(async () => String(await seen(one)) === "1,2,2");
    await until(async () => /^(1,)?2,2$/.test(String(await seen(other))));
    expect([await sessions(), await subscriptions()]).toEqual([1, 2]);
    const answers = await Promise.all(
      [one, other].map((page) =>
        page.evaluate(`client.rpc.listInstruments({ venue: "fake" }).then(
          ({ instruments }) => instruments.length)`),
      ),
    );
    expect(answers).toEqual([2, 2]);
    const failed = await one.evaluate(`client.rpc.getInstrument({ venue: "fake", symbol: "NO" })
      .catch(({ name, code }) => name + " " + code)`);
    expect(failed).toBe("RpcError not-found");
    const refused = await one.evaluate(`(async () => {
      try { for await (const _ of client.trades("fake:NO-SUCH")) break; }
      catch ({ name, code }) { return name + " " + code; }
    })()`);
    expect(refused).toBe("TopicRefusedError topic-unknown-symbol");
  });

  test("come and go: what a tab had is given up when it dies, and the others go on", async () => {
    const [one, other] = [await open(), await open()];
    await follow(one);
    await other.evaluate(`(async () => {
      globalThis.client = await connectShared();
      client.onQuotes("fake:ETH-USDT", () => undefined);
    })()`);
    await until(async () => (await subscriptions()) === 3);
    await other.close();
    await until(async () => (await subscriptions()) === 2);
    publish(300);
    await until(async () => String(await seen(one)) === "1,3");
    await one.evaluate("client.close()");
    await until(async () => (await sessions()) === 0);
    expect(await one.evaluate("client.state")).toBe("closed");
  });

  test("may want one topic in two ways", async () => {
    const [one, other] = [await open(), await open()];
    await follow(one);
    await follow(other, 1);
    publish(400);
    await until(async () => String(await seen(other)) === "1,4");
    await until(async () => String(await seen(one)) === "1,4");
    expect(await sessions()).toBe(2);
  });

  test("do not wait for one that is busy, which gets all trades later", async () => {
    const [busy, quick] = [await open(), await open()];
    await follow(busy);
    await follow(quick);
    const blocked = busy.evaluate(`(() => {
      const until = performance.now() + 1500;
      while (performance.now() < until);
    })()`);
    for (let price = 1; price <= 200; price += 1) {
      publish(price);
      if (price % 20 === 0) await pause(5);
    }
    await until(async () => (await quick.evaluate("trades.length")) === 200);
    await blocked;
    await until(async () => (await busy.evaluate("trades.length")) === 200);
    expect(await busy.evaluate("trades.every((sequence, index) => sequence === index + 1)")).toBe(
      true,
    );
    await until(async () => (await busy.evaluate("bid")) === "2");
  });

  test("have a connection of their own where there are no shared workers", async () => {
    const pages = [
      await open("delete globalThis.SharedWorker"),
      await open("delete globalThis.SharedWorker"),
    ];
    for (const page of pages) await follow(page);
    publish(600);
    for (const page of pages) await until(async () => String(await seen(page)) === "1,6");
    expect(await sessions()).toBe(2);
  });

  test("have one of their own where its script cannot be loaded", async () => {
    const page = await open();
    const state = await page.evaluate(`(async () => {
      globalThis.client = await connectShared({ workerUrl: "/nothing-here.js" });
      return client.state;
    })()`);
    expect(state).toBe("connected");
    expect(await sessions()).toBe(1);
  });

  test("are told of bad options", async () => {
    const page = await open();
    const said = await page.evaluate(`connectShared({ pingIntervalMs: -1 }).catch(
      ({ name, message }) => name + ": " + message)`);
    expect(said).toBe("ConnectionError: pingIntervalMs -1 is not an integer of 0 to 2147483647");
  });
});
