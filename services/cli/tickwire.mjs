#!/usr/bin/env node
// The `tickwire` program. Plain JavaScript, so that it can say what is missing before anything is built.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const main = fileURLToPath(new URL("../../dist/services/cli/main.js", import.meta.url));
if (existsSync(main)) {
  await import(pathToFileURL(main).href);
} else {
  process.stderr.write("tickwire: it is not built yet; run `npm run build` first\n");
  process.exitCode = 2;
}
