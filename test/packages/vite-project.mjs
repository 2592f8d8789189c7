// A page that Vite builds, in headless Chromium.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { delimiter, extname, join } from "node:path";
import { chromium } from "playwright-core";
import { checkTypes, createProject, run, SESSION } from "./workspace.mjs";

const VITE = join(import.meta.dirname, "../../node_modules/vite/bin/vite.js");

const FILES = {
  "index.html": `<!doctype html><link rel="icon" href="data:,"><title>t</title><body>
<script type="module" src="/src/main.ts"></script>`,
  "src/main.ts": `
import { connect } from "@tickwire/client";
const client = await connect(new URLSearchParams(location.search).get("gateway") ?? "");
${SESSION}
document.body.dataset["told"] = told;
`,
};

const TYPES = { ".html": "text/html", ".js": "text/javascript" };

/** Installs Vite of its own where `ownVite` says so, else takes that of this repository. */
export async function tryVite({ folder, packages, url, ownVite = false }) {
  await createProject(folder, {
    files: FILES,
    packages: ownVite ? [...packages, "vite"] : packages,
  });
  await checkTypes(folder, { module: "esnext", moduleResolution: "bundler" }, ["src/main.ts"]);
  const vite = ownVite ? join(folder, "node_modules/vite/bin/vite.js") : VITE;
  await run(process.execPath, [vite, "build", "--logLevel", "error"], {
    cwd: folder,
  });
  return showPage(join(folder, "dist"), url);
}

/** What the page says that is served from a folder. */
export async function showPage(folder, url) {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error("there is no chromium on PATH");
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://a");
    const path = pathname === "/" ? "/index.html" : pathname;
    readFile(join(folder, path)).then(
      (bytes) => {
        response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath, args, headless: true });
  try {
    const page = await browser.newPage();
    const { port } = server.address();
    await page.goto(`http://127.0.0.1:${port}/?gateway=${encodeURIComponent(url)}`);
    await page.waitForSelector("body[data-told]", { state: "attached", timeout: 60_000 });
    return await page.locator("body").getAttribute("data-told");
  } finally {
    await browser.close();
    server.close();
  }
}

/** Chromium of this machine; undefined if there is none. */
function chromiumPath() {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return folders.flatMap((each) => names.map((name) => join(each, name))).find(existsSync);
}
