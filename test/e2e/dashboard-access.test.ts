import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacksChromium, launchChromium, untilInPage, untilLive } from "./chromium-page.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, runCli, startCli } from "./cli-process.ts";

// What somebody reads, and what he can do, whose gateway asks who he is: with nothing, a wrong key,
// one that is taken back, a token that ends or has ended, and a role that does not include all of
// the page.

describe.skipIf(lacksChromium)("the dashboard of a gateway that asks who its clients are", () => {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-dashboard-"));
  const file = (name: string): string => join(folder, name);
  let browser: Browser;
  let page: Page;
  let address: string;
  /** Runs a command to its end; its first line of output. */
  const cli = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runCli(args);
    expect(`${status} ${stderr}`).toMatch(/^0 /);
    return stdout.trim();
  };
  const tokenFor = (expires: string): Promise<string> => {
    const signer = ["--key", file("signer.json"), "--sub", "desk-3", "--role", "all"];
    return cli("token", "make", ...signer, "--expires", expires);
  };
  const enter = async (text: string): Promise<void> => {
    await page.fill("dialog.access input", text);
    await page.keyboard.press("Enter");
  };
  const openAccess = async (): Promise<void> => {
    await page.click(".settings-menu summary");
    await page.click(".settings-menu >> text=Access key");
  };
  const untilTold = (words: string): Promise<void> =>
    untilInPage(
      page,
      `!document.querySelector(".banner").hidden &&
        document.querySelector(".banner").textContent.includes("${words}")`,
    );
  const untilAsked = (words: string): Promise<void> =>
    untilInPage(
      page,
      `document.querySelector("dialog.access").open &&
        document.querySelector("dialog.access h2").textContent.includes("${words}")`,
    );

  beforeAll(async () => {
    const keySet = ["--private-file", file("signer.json"), "--key-set", file("keys.json")];
    await cli("token", "new-key", ...keySet);
    const port = await findFreePort();
    address = `http://127.0.0.1:${port}/`;
    const settings = {
      "gateway.access.file": file("access.json"),
      "gateway.access.tokens.keySetFile": file("keys.json"),
      "gateway.access.tokens.leewayMs": "0",
      "gateway.access.expiryGraceMs": "500",
      "gateway.access.reloadMs": "100",
    };
    await cli("keys", "add", "--file", file("access.json"), "--role", "all", "--name", "first");
    const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const dev = startCli(["dev", "--port", String(port), "--admin-port", "0", ...set]);
    await dev.waitFor("stdout", /streams simulated/);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  });

  afterAll(async () => {
    await browser?.close();
    await killAll();
    rmSync(folder, { recursive: true, force: true });
  });

  test("asks for a key, says that a wrong one is none, and takes a right one for the window", async () => {
    await page.goto(address);
    await untilAsked("asks who you are");
    await enter("twk_000000000000_wrong");
    await untilAsked("asks who you are");
    const key = await cli("keys", "add", "--file", file("access.json"), "--role", "all");
    const id = /^twk_([^_]+)/.exec(key)![1]!;
    // The gateway may not have read its file yet, and then the page asks again.
    const isIn = async (): Promise<boolean> => {
      if (await page.locator("dialog.access").isVisible()) await enter(key);
      return page.evaluate("document.documentElement.dataset.connection === 'connected'");
    };
    await expect.poll(isIn, { timeout: 30_000 }).toBe(true);
    await untilLive(page);
    expect(page.url()).not.toContain("twk_");
    await page.reload();
    await untilLive(page);
    await cli("keys", "revoke", id, "--file", file("access.json"));
    await untilAsked("was taken back");
  });

  test("asks for the next token before the access ends, and goes on without a break", async () => {
    // Of the last minute of a token the page is told at once.
    await enter(await tokenFor("50s"));
    await untilLive(page);
    await page.evaluate("globalThis.isTheSamePage = true");
    await untilInPage(page, "/access ends in/.test(document.querySelector('.banner').textContent)");
    await page.click(".banner button");
    await enter(await tokenFor("1h"));
    await untilInPage(page, "document.querySelector('.banner').hidden");
    await expect
      .poll(() => page.evaluate("document.querySelector('#connection').dataset.state"))
      .toBe("connected");
    expect(await page.evaluate("globalThis.isTheSamePage")).toBe(true);
  });

  test("says that a token has ended, and goes on with another one", async () => {
    await openAccess();
    await enter(await tokenFor("1s"));
    await untilTold("Your access has ended");
    await page.click(".banner button");
    await enter(await tokenFor("1h"));
    await untilLive(page);
    await untilInPage(page, "document.querySelector('.banner').hidden");
    expect(await page.textContent("#connection")).toBe("Live");
  });

  test("says what a role does not include, of the page and of one panel", async () => {
    const access = JSON.parse(readFileSync(file("access.json"), "utf8")) as object;
    const grants = [{ topics: ["*:*/*"] }];
    const noBooks = [{ topics: ["*:*/book"], deny: true }, ...grants];
    const write = (roles: object): void => {
      writeFileSync(file("access.json"), JSON.stringify({ ...access, roles }));
    };
    write({ desk: { grants, calls: ["GetStatus"] } });
    const limited = ["--key", file("signer.json"), "--sub", "desk-4", "--role", "desk"];
    const token = await cli("token", "make", ...limited, "--expires", "1h");
    await openAccess();
    await enter(token);
    await untilTold("Your access does not include this");
    expect(await page.textContent(".banner")).toContain("Ask its operator, or enter another key");
    write({ desk: { grants } });
    await page.reload();
    await untilLive(page);
    write({ desk: { grants: noBooks } });
    await untilInPage(
      page,
      "document.querySelector('#book-badge').textContent.endsWith('you may not have this topic any more')",
    );
    expect(await page.getAttribute("html", "data-connection")).toBe("connected");
  });
});
