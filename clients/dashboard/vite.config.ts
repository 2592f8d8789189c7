import { defineConfig, type Plugin } from "vite";

/** What the page needs at once, though scripts ask for it one after the other. */
const FIRST = /^assets\/(dashboard|calls|lag-meter|exact-decimal)-/;

/** Has the browser fetch these side by side, as soon as it has read the page. */
const preloadFirst: Plugin = {
  name: "preload-first",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (_html, { bundle = {} }) =>
      Object.keys(bundle)
        .filter((name) => FIRST.test(name) && name.endsWith(".js"))
        .map((name) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${name}` },
          injectTo: "head",
        })),
  },
};

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, since the gateway may stand below a path of a proxy.
  base: "./",
  logLevel: "warn",
  plugins: [preloadFirst],
  worker: { format: "es" },
  build: {
    target: "es2022",
    // A policy without inline styles and scripts has no use for files that became part of others.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
  },
});
