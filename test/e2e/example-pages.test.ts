import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "#test/support/local-server.ts";
import { launchChromium, lacksChromium, untilInPage } from "./chromium-page.ts";
import { environmentOfTests, killAll, startCli, type CliProcess } from "./cli-process.ts";

const SERVER = join(import.meta.dirname, "../../clients/examples/plain-pages/serve.js");

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
  });

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
});
