import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, since the gateway may stand below a path of a proxy.
  base: "./",
  logLevel: "warn",
  build: {
    target: "es2022",
    // A policy without inline styles and scripts has no use for files that became part of others.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
  },
});
