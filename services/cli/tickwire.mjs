#!/usr/bin/env node
// The `tickwire` program. It is plain JavaScript, so that it can say what is missing before
// anything is built.
import { existsSync } from "node:fs";

if (existsSync(new URL("../../dist/services/cli/main.js", import.meta.url))) {
  await import("../../dist/services/cli/main.js");
} else {
  process.stderr.write("tickwire is not built yet: run `npm run build` first\n");
  process.exitCode = 2;
}
