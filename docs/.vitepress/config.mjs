// The documentation as a site: every page of the repository that is for readers, and the reference
// of the packages. Links to what is no page, such as a source file, are shown as text.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { defineConfig } from "vitepress";

/** Made by collect-pages.mjs. */
const ROOT = resolve(import.meta.dirname, "../.pages");

const SECTIONS = [
  {
    text: "Start",
    pages: [
      ["What Tickwire is", "README"],
      ["All pages, in reading order", "docs/README"],
      ["Dashboard", "docs/quickstarts/dashboard"],
      ["Aggregator", "docs/quickstarts/aggregator"],
      ["Bot", "docs/quickstarts/bot"],
      ["Operator", "docs/quickstarts/operator"],
      ["Python", "docs/quickstarts/python"],
      ["Go, and other languages", "docs/quickstarts/go"],
      ["Troubleshooting", "docs/troubleshooting"],
      ["Questions", "docs/faq"],
      ["Architecture", "ARCHITECTURE"],
      ["Changes", "CHANGELOG"],
    ],
  },
  {
    text: "Using a gateway",
    pages: [
      ["The TypeScript client", "clients/typescript/README"],
      ["Measured, drawn, ended", "docs/client"],
      ["Packages", "docs/packages"],
      ["Is this book right?", "docs/books"],
      ["Views and checksums", "docs/views"],
      ["Resuming", "docs/resume"],
      ["Slow readers", "docs/slow-readers"],
      ["Calls", "docs/rpc"],
      ["History and replay", "docs/history"],
      ["Transports", "docs/transports"],
      ["The protocol", "proto/README"],
      ["The wire", "proto/wire"],
    ],
  },
  {
    text: "Running it",
    pages: [
      ["Configuration", "docs/configuration"],
      ["Access", "docs/access"],
      ["Operations", "docs/operations"],
      ["Metrics", "docs/metrics"],
      ["Tracing", "docs/tracing"],
      ["Admin", "docs/admin"],
      ["Restarts", "docs/restarts"],
      ["Standby", "docs/standby"],
      ["Recording", "docs/recording"],
      ["Faults", "docs/faults"],
      ["Security", "SECURITY"],
    ],
  },
  {
    text: "Venues",
    pages: [
      ["Venues", "docs/venues"],
      ["Facts", "docs/venue-facts"],
      ["Faults of venues", "docs/venue-faults"],
      ["Normalization", "docs/normalization"],
    ],
  },
  {
    text: "Working on it",
    pages: [
      ["Contributing", "CONTRIBUTING"],
      ["Decisions", "docs/adr/README"],
    ],
  },
];

/** Pages of a folder, by their titles, in the order of these. */
function pagesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .map((file) => {
      const text = readFileSync(join(ROOT, folder, file), "utf8");
      const title = /^# (.+)$/m.exec(text)?.[1] ?? file;
      return [title.replaceAll("\\", ""), join(folder, file).replace(/\.md$/, "")];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** All sections; what none of them names comes in one of its own, so that no page is lost. */
function allSections() {
  const named = new Set(SECTIONS.flatMap(({ pages }) => pages.map(([, path]) => path)));
  const missing = [...named].filter((path) => !existsSync(join(ROOT, `${path}.md`)));
  if (missing.length > 0) throw new Error(`there is no page ${missing.join(", ")}`);
  const others = pagesIn("docs").filter(
    ([, path]) => !named.has(path) && !/^docs\/(api|adr)\//.test(path),
  );
  return [
    ...SECTIONS,
    ...(others.length === 0 ? [] : [{ text: "More", pages: others }]),
    { text: "API", pages: pagesIn("docs/api") },
  ];
}

/** README.md of a folder is its first page. */
const pagePath = (path) => path.replace(/README$/, "");

/** The link as the site has it; undefined if it leads to nothing that is a page or an image. */
function linkOf(href, page) {
  if (/^([a-z]+:|#)/.test(href)) return href;
  const [path = "", anchor] = href.split("#");
  const target = path.startsWith("/") ? join(ROOT, path) : resolve(ROOT, dirname(page), path);
  const file = existsSync(join(target, "README.md")) ? join(target, "README.md") : target;
  const inRoot = relative(ROOT, file);
  if (!file.endsWith(".md") || !existsSync(file)) return undefined;
  const site = `/${inRoot.replace(/README\.md$/, "")}`;
  return anchor === undefined ? site : `${site}#${anchor}`;
}

/** Changes links before anything else sees them. */
function rewriteLinks(markdown) {
  markdown.core.ruler.push("tickwire-links", ({ tokens, env }) => {
    for (const block of tokens) {
      // Bytes have no colours.
      if (block.info === "hex") block.info = "txt";
      let isText = false;
      for (const token of block.children ?? []) {
        if (token.type === "link_open") {
          const link = linkOf(token.attrGet("href") ?? "", env.relativePath);
          isText = link === undefined;
          if (isText) token.attrs = [];
          else token.attrSet("href", link);
        }
        if (isText && (token.type === "link_open" || token.type === "link_close")) {
          token.tag = "span";
          token.type = token.type.replace("link", "text_link");
        }
      }
    }
  });
}

export default defineConfig({
  title: "Tickwire",
  description: "Market-data streaming: verified books and exact ticks.",
  srcDir: ".pages",
  cleanUrls: true,
  rewrites: (id) => id.replace(/(^|\/)README\.md$/, "$1index.md"),
  markdown: { config: rewriteLinks },
  vite: {
    build: { chunkSizeWarningLimit: 4_000 },
    publicDir: false,
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: allSections().map(({ text, pages }) => ({
      text,
      items: pages.map(([title, path]) => ({ text: title, link: `/${pagePath(path)}` })),
    })),
  },
});
