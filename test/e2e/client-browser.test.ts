import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CuttableWire } from "#test/support/cuttable-wire.ts";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { bundleForBrowser, filesForBrowser, type ClientBundle } from "../support/client-bundle.mjs";

// The client as a web page has it: bundled for browsers, in Chromium, under a policy that forbids
// eval.

const PAGE = `
import { connect } from "@tickwire/client";
const say = (key, value) => { document.body.dataset[key] = value; };
const client = await connect(new URLSearchParams(location.search).get("gateway"));
say("state", client.state);
say("transport", client.transport);
const onNotice = (notice) => say("continuity", notice.continuity ?? notice.type);
const { instruments } = await client.rpc.listInstruments({ venue: "fake" });
say("instruments", instruments.map(({ symbol }) => symbol).join(" "));
const trades = [];
for await (const trade of client.trades("fake:BTC-USDT", { onNotice })) {
  trades.push(trade.sequence + ":" + trade.priceText + ":" + trade.price);
  say("trades", trades.join(" "));
  if (trades.length === 2) break;
}
for await (const book of client.book("fake:BTC-USDT")) {
  say("bid", book.bbo.bid?.priceText ?? "none");
  if (book.bbo.bid !== undefined) break;
}
client.close();
say("state", client.state);
`;

const LATE_PAGE = `
import { connect } from "@tickwire/client";
const say = (key, value) => { document.body.dataset[key] = value; };
const gateway = new URLSearchParams(location.search).get("gateway");
const client = await connect(gateway, { reconnect: { baseMs: 1, maxMs: 10 } });
const ask = () => client.rpc.listInstruments({ venue: "fake" });
const told = ({ name, code, retryable, sent }) => [name, code, retryable, sent].join(" ");
say("first", await ask().then(() => "answered", told));
say("second", (await ask()).instruments.map(({ symbol }) => symbol).join(" "));
const replayed = [];
try {
  for await (const event of client.replay("fake:BTC-USDT/trades")) replayed.push(event);
} catch (error) {
  say("replay", told(error));
}
`;

const LITE_PAGE = `
import { connect } from "@tickwire/client/lite";
const say = (key, value) => { document.body.dataset[key] = value; };
const gateway = new URLSearchParams(location.search).get("gateway");
const client = await connect(gateway, { reconnect: { baseMs: 10, maxMs: 100 } });
const notices = [];
const onNotice = ({ type, continuity, outcome }) => {
  notices.push(outcome ?? continuity ?? type);
  say("notices", notices.join(" "));
};
const trades = [];
for await (const trade of client.trades("fake:BTC-USDT", { onNotice })) {
  trades.push(trade.sequence + ":" + trade.priceText);
  say("trades", trades.join(" "));
}
`;

/** Chromium of this machine; undefined if there is none. */
function chromiumPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
}

let bundle: ClientBundle;
let files: ReadonlyMap<string, string>;

beforeAll(async () => {
  bundle = await bundleForBrowser(PAGE);
  files = await filesForBrowser(PAGE);
});

describe("the bundle for browsers", () => {
  test("imports nothing but its own files, and what it may need later only then", () => {
    const names = bundle.chunks.map(({ fileName }) => fileName);
    const imports = bundle.chunks
      .flatMap((chunk) => chunk.imports)
      .filter((name) => !name.includes("preload-helper"));
    expect(imports.filter((name) => !names.includes(name))).toEqual([]);
    expect(bundle.lateChunks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "book-channel",
        "calls",
        "http-sockets",
        "lag-meter",
        "replay-events",
        "row-channels",
        "token-renewal",
        "transport-ladder",
      ]),
    );
    // What vite puts in the place of a built-in that some module asked for.
    expect(modules().filter((id) => id.includes("browser-external"))).toEqual([]);
    expect(code()).not.toMatch(/["'`]node:/);
  });

  test("makes no code at run time", () => {
    expect(code()).not.toMatch(/\beval\b|\bnew Function\b|\bFunction\(/);
  });

  test("contains the entry for browsers, and nothing of another package: no ws, no protobufjs", () => {
    expect(modules().filter((id) => /node_modules\/(?!@tickwire\/)/.test(id))).toEqual([]);
    expect(modules().some((id) => id.endsWith("clients/typescript/src/index.ts"))).toBe(true);
    expect(modules().some((id) => id.endsWith("index.node.ts"))).toBe(false);
  });
});

function code(): string {
  return [...bundle.chunks, ...bundle.lateChunks].map((chunk) => chunk.code).join("\n");
}

function modules(): string[] {
  return [...bundle.chunks, ...bundle.lateChunks].flatMap(({ moduleIds }) => moduleIds);
}

const executablePath = chromiumPath();
const mustRun = process.env["CI"] !== undefined;
if (executablePath === undefined && !mustRun) {
  process.stderr.write("skipped: the client in a browser, because no chromium is on PATH\n");
}

describe.skipIf(executablePath === undefined && !mustRun)("in Chromium", () => {
  let rig: Rig;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    if (executablePath === undefined) throw new Error("there is no chromium on PATH");
    rig = await Rig.start("node");
    server = await serve(files, [`ws://127.0.0.1:${rig.gateway.port}`]);
    const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    browser = await chromium.launch({ executablePath, args, headless: true });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rig?.stop();
  });

  test("receives trades, a book and answers under a policy without eval", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=ws://127.0.0.1:${rig.gateway.port}`);
    await page.waitForSelector("body[data-continuity=new]", { state: "attached" });
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 99, 1)]);
    rig.ingestor.publish([
      rig.ingestor.trade("BTC-USDT", 10_050),
      rig.ingestor.trade("BTC-USDT", 7),
    ]);
    await page.waitForSelector("body[data-state=closed]", { state: "attached" });
    const body = page.locator("body");
    expect(await body.getAttribute("data-instruments")).toBe("BTC-USDT ETH-USDT");
    expect(await body.getAttribute("data-trades")).toBe("1:100.5:100.5 2:0.07:0.07");
    expect(await body.getAttribute("data-bid")).toBe("0.99");
    expect(problems).toEqual([]);
    await page.close();
  });

  test("a call whose code cannot be loaded fails with a typed error, and the next one loads it", async () => {
    const latePage = await serve(await filesForBrowser(LATE_PAGE), [
      `ws://127.0.0.1:${rig.gateway.port}`,
    ]);
    const page = await browser.newPage();
    let asked = 0;
    await page.route("**/calls-*.js", async (route) => {
      asked += 1;
      await (asked <= 3 ? route.abort() : route.continue());
    });
    const { port } = latePage.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=ws://127.0.0.1:${rig.gateway.port}`);
    await page.waitForSelector("body[data-replay]", { state: "attached" });
    const body = page.locator("body");
    expect(await body.getAttribute("data-first")).toBe("RpcError unavailable true false");
    expect(await body.getAttribute("data-second")).toBe("BTC-USDT ETH-USDT");
    // The code of replays is another file, and the gateway of this test keeps no log.
    expect(await body.getAttribute("data-replay")).toBe("RpcError unimplemented false true");
    expect(asked).toBe(4);
    await page.close();
    latePage.close();
  });

  test("the small client resumes over a connection that is cut", async () => {
    const wire = await CuttableWire.open(rig.gateway.port);
    const gateway = `ws://127.0.0.1:${wire.port}`;
    const litePage = await serve(await filesForBrowser(LITE_PAGE), [gateway]);
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    const { port } = litePage.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=${gateway}`);
    await page.waitForSelector("body[data-notices=new]", { state: "attached" });
    const before = rig.ingestor.position("trades", "BTC-USDT");
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 10_051)]);
    await page.waitForSelector("body[data-trades]", { state: "attached" });
    wire.cut();
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 7)]);
    const [first, second] = [`${before + 1}:100.51`, `${before + 2}:0.07`];
    await page.waitForSelector(`body[data-trades="${first} ${second}"]`, { state: "attached" });
    const told = await page.locator("body").getAttribute("data-notices");
    expect(["new recovered", "new preserved"]).toContain(told);
    expect(problems).toEqual([]);
    await page.close();
    wire.close();
    litePage.close();
  });

  test("where no WebSocket is let through, everything comes over HTTP", async () => {
    const httpOnly = await serve(files, [`http://127.0.0.1:${rig.gateway.port}`]);
    const page = await browser.newPage();
    const { port } = httpOnly.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=http://127.0.0.1:${rig.gateway.port}`);
    await page.waitForSelector("body[data-continuity=new]", { state: "attached" });
    const before = rig.ingestor.position("trades", "BTC-USDT");
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 98, 1)]);
    rig.ingestor.publish([
      rig.ingestor.trade("BTC-USDT", 10_050),
      rig.ingestor.trade("BTC-USDT", 7),
    ]);
    await page.waitForSelector("body[data-state=closed]", { state: "attached" });
    const body = page.locator("body");
    expect(await body.getAttribute("data-transport")).toBe("sse");
    expect(await body.getAttribute("data-instruments")).toBe("BTC-USDT ETH-USDT");
    expect(await body.getAttribute("data-trades")).toBe(
      `${before + 1}:100.5:100.5 ${before + 2}:0.07:0.07`,
    );
    await page.close();
    httpOnly.close();
  });

  test("an EventSource alone gets starts and events, and goes on after a cut", async () => {
    const { port } = server.address() as AddressInfo;
    const page = await browser.newPage({ bypassCSP: true });
    await page.goto(`http://127.0.0.1:${port}/?gateway=ws://127.0.0.1:${rig.gateway.port}`);
    const topics = "fake:ETH-USDT/trades";
    const wire = await CuttableWire.open(rig.gateway.port);
    await page.evaluate(`
      globalThis.told = [];
      globalThis.source = new EventSource(
        "http://127.0.0.1:${wire.port}/v1/sse?topics=${topics}");
      source.addEventListener("continuity", ({ data }) => told.push(JSON.parse(data).continuity));
      source.addEventListener("trades", ({ data }) => {
        for (const { sequence } of JSON.parse(data).events) told.push(sequence);
      });
    `);
    const told = async () => (await page.evaluate("told")) as (string | number)[];
    const tellsUntil = (length: number) => page.waitForFunction(`told.length >= ${length}`);
    await tellsUntil(1);
    rig.ingestor.publish([rig.ingestor.trade("ETH-USDT", 1), rig.ingestor.trade("ETH-USDT", 2)]);
    await tellsUntil(3);
    wire.cut();
    await page.waitForFunction("source.readyState === EventSource.CONNECTING");
    rig.ingestor.publish([rig.ingestor.trade("ETH-USDT", 3)]);
    await tellsUntil(5);
    expect(await told()).toEqual(["new", 1, 2, "resumed", 3]);
    await page.close();
    wire.close();
  });

  test("breaks no rule of the policy, not even one that is only reported", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    // Before any script of the page, since what code does while it loads counts too.
    await page.addInitScript(`
      globalThis.violations = [];
      addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
        violations.push(violatedDirective + " " + blockedURI);
      });
    `);
    page.on("console", (message) => problems.push(message.text()));
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?gateway=ws://127.0.0.1:${rig.gateway.port}`);
    await page.waitForSelector("body[data-instruments]", { state: "attached" });
    expect(await page.evaluate("globalThis.violations")).toEqual([]);
    expect(problems).toEqual([]);
    // The same policy does stop what breaks it.
    const attempt = "WebAssembly.compile(new Uint8Array(8)).catch(({ name }) => name)";
    expect(await page.evaluate(attempt)).toBe("CompileError");
    await page.waitForFunction("globalThis.violations.length > 0");
    expect(await page.evaluate("globalThis.violations")).toEqual(["script-src wasm-eval"]);
    await page.close();
  });
});

/** A page that may run its own scripts and reach the gateway, and nothing else. */
async function serve(
  scripts: ReadonlyMap<string, string>,
  reachable: readonly string[],
): Promise<Server> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "img-src data:",
    `connect-src ${reachable.join(" ")}`,
  ].join("; ");
  const pageServer = createServer((request, response) => {
    const script = scripts.get((request.url ?? "").slice(1));
    response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
    const html = `<!doctype html><link rel="icon" href="data:,"><title>t</title><body><script type="module" src="/entry.js"></script>`;
    response.end(script ?? html);
  });
  await new Promise<void>((resolve) => {
    pageServer.listen(0, "127.0.0.1", resolve);
  });
  return pageServer;
}
