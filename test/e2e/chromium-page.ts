import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { expect } from "vitest";

const folders = (process.env["PATH"] ?? "").split(delimiter);
const executablePath = folders
  .flatMap((folder) => ["chromium", "chromium-browser"].map((name) => join(folder, name)))
  .find(existsSync);

/** On a developer's machine without it such tests are left out; in CI they fail. */
export const lacksChromium = executablePath === undefined && process.env["CI"] === undefined;

/** Debian's Chromium. */
export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error("there is no chromium on PATH");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath, args, headless: true });
}

/**
 * Waits until an expression is true in the page. What waits inside of it would be code made of
 * text, which the page's policy forbids.
 */
export async function untilInPage(page: Page, expression: string): Promise<void> {
  const limits = { timeout: 30_000, interval: 100 };
  await expect.poll(() => page.evaluate(expression), limits).toBe(true);
}

/** Waits until the dashboard has a live book. */
export function untilLive(page: Page): Promise<void> {
  return untilInPage(page, "document.querySelector('#book-badge')?.dataset.state === 'live'");
}
