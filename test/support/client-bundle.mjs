// The TypeScript client as a web page gets it: bundled and minified by vite, then compressed.
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const ENTRY_ID = "entry.js";
const ROOT = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");

/** Bundles one module's text for browsers, from the sources; it may import the client. */
export async function bundleForBrowser(source, { minify = true } = {}) {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["source", "browser", "module"] },
    build: {
      write: false,
      minify,
      target: "es2022",
      // In library mode vite keeps the white space of ES modules, which no page would.
      rolldownOptions: {
        input: ENTRY_ID,
        preserveEntrySignatures: "strict",
        output: { format: "es", entryFileNames: ENTRY_ID },
      },
    },
    plugins: [
      {
        name: "entry",
        resolveId: {
          order: "pre",
          handler: (id) => (id.endsWith(ENTRY_ID) ? `\0${ENTRY_ID}` : null),
        },
        load: (id) => (id === `\0${ENTRY_ID}` ? source : null),
      },
    ],
  });
  const [chunk, ...others] = (Array.isArray(result) ? result[0] : result).output;
  if (chunk === undefined || others.length > 0) throw new Error("the bundle is not one chunk");
  return chunk;
}

/** Bytes of a text as it is, by gzip at level 9 and by brotli at level 11. */
export function transferSizes(text) {
  const bytes = Buffer.from(text);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return {
    bytes: bytes.length,
    gzipBytes: gzipSync(bytes, { level: 9 }).length,
    brotliBytes: brotliCompressSync(bytes, { params }).length,
  };
}

/** Path of a module inside the repository, or of the package that it belongs to. */
export function moduleName(id) {
  const path = id.startsWith(ROOT) ? id.slice(ROOT.length + 1) : id;
  return path.replace(/\0/g, "");
}
