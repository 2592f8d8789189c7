import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "#test/support/local-server.ts";
import { launchChromium, lacksChromium, untilInPage } from "./chromium-page.ts";
import { environmentOfTests, killAll, startCli, type CliProcess } from "./cli-process.ts";

const EXAMPLES = join(import.meta.dirname, "../../clients/examples");
const SERVER = join(EXAMPLES, "plain-pages/serve.js");
const GAUGE = { timeout: 10_000, interval: 100 };
const folder = mkdtempSync(join(tmpdir(), "tickwire-example-pages-"));

describe.skipIf(lacksChromium)("pages of the examples", () => {
  let browser: Browser;
  let dev: CliProcess;
  let port = 0;
  let pages = "";
  const servers: ReturnType<typeof spawn>[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    port = await freePort();
    dev = await startGateway();
    pages = await servePlainPages();
  });
  afterAll(async () => {
    await browser.close();
    for (const server of servers) server.kill();
    await killAll();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A gauge of the gateway. */
  async function gauge(name: string): Promise<number> {
    const [metrics = ""] = /http:\S+\/metrics/.exec(dev.stdout()) ?? [];
    const text = await (await fetch(metrics)).text();
    return Number(new RegExp(`^tickwire_gateway_${name} (\\d+)$`, "m").exec(text)?.[1]);
  }

  async function startGateway(): Promise<CliProcess> {
    const cli = startCli(["dev", "--port", String(port), "--admin-port", "0"]);
    await cli.waitFor("stdout", /on 127\.0\.0\.1:(\d+)/);
    return cli;
  }

  function servePlainPages(): Promise<string> {
    const env = { ...environmentOfTests(), PORT: "0" };
    const server = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
    servers.push(server);
    return new Promise((resolve) => {
      server.stdout.setEncoding("utf8").once("data", (text: string) => {
        resolve(text.split(" ")[0] ?? "");
      });
    });
  }

  async function open(url: string): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`${url}?gateway=http://127.0.0.1:${port}`);
    return { page, errors };
  }

  const rowsOf = (id: string): string => `document.querySelectorAll('#${id} tr').length`;
  const textOf = (id: string): string => `document.querySelector('#${id}').innerText`;

  test("the plain page shows a book and trades that move", async () => {
    const { page, errors } = await open(pages);
    await untilInPage(page, `${rowsOf("book")} === 10`);
    await untilInPage(page, `${rowsOf("trades")} > 2`);
    const before = await page.evaluate<string>(textOf("book"));
    expect(before).toMatch(/^[\d.]+\t[\d.]+\t[\d.]+\t[\d.]+\n/);
    await untilInPage(page, `${textOf("book")} !== ${JSON.stringify(before)}`);
    await page.close();
    expect(errors).toEqual([]);
  });

  test("the page with EventSource says that the connection is lost, and goes on", async () => {
    const { page, errors } = await open(`${pages}event-source.html`);
    await untilInPage(page, `${rowsOf("quotes")} === 2`);
    const before = await page.evaluate<string>(textOf("quotes"));
    await untilInPage(page, `${textOf("quotes")} !== ${JSON.stringify(before)}`);
    await dev.stop("SIGKILL");
    await untilInPage(page, `${textOf("state")} === "connection lost, dialling again"`);
    const lost = await page.evaluate<string>(textOf("quotes"));
    dev = await startGateway();
    await untilInPage(page, `${textOf("quotes")} !== ${JSON.stringify(lost)}`);
    expect(await page.evaluate(textOf("state"))).toBe("connected");
    await page.close();
    expect(errors).toEqual([]);
  });

  // StrictMode of React begins everything twice; one connection with three topics is left of it.
  test.each([
    ["React's hooks", "react-hooks"],
    ["Vue's composables", "vue-app"],
  ])("%s show what moves, and leave nothing subscribed", async (_, example) => {
    const cacheDir = join(folder, `vite-${example}`);
    const root = join(EXAMPLES, example);
    const vite = await createServer({ root, cacheDir, logLevel: "error", server: { port: 0 } });
    await vite.listen();
    const { page, errors } = await open(vite.resolvedUrls?.local[0] ?? "");
    await untilInPage(page, `document.querySelectorAll('#trades tr').length > 2`);
    const before = await page.evaluate<string>(textOf("book"));
    expect(before).toMatch(/\n[\d.]+\t[\d.]+\t[\d.]+\t[\d.]+\n/);
    await untilInPage(page, `${textOf("book")} !== ${JSON.stringify(before)}`);
    await expect.poll(() => gauge("subscriptions"), GAUGE).toBe(3);
    await expect.poll(() => gauge("connections"), GAUGE).toBe(1);
    await page.click("text=simulated:ETH-USD");
    await untilInPage(page, `/ETH-USD [\\d.]+ \\/ [\\d.]+/.test(${textOf("app")})`);
    await expect.poll(() => gauge("subscriptions"), GAUGE).toBe(3);
    await page.click("text=nothing");
    await expect.poll(() => gauge("subscriptions"), GAUGE).toBe(0);
    await page.close();
    await vite.close();
    expect(errors).toEqual([]);
  });
});
