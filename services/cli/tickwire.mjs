#!/usr/bin/env node
// The `tickwire` program. It is plain JavaScript, so that it can say what is missing before
// anything is built.
import { statSync } from "node:fs";
import module, { createRequire } from "node:module";
import { join } from "node:path";

/** In many files, as the compiler writes them. */
const BUILT = "../../dist/services/cli/main.js";
/** The same in few files, which load in half the time: see bundle.mjs. */
const BUNDLED = "../../dist/program/main.cjs";
/** What the compiler writes last, for each part of the bundle. */
const BUILD_NOTES = [
  "../../dist/services/tsconfig.tsbuildinfo",
  "../../proto/dist/tsconfig.tsbuildinfo",
  "../../clients/typescript/dist/tsconfig.tsbuildinfo",
];
/** Beside the program and not in a folder that others can write to. */
const COMPILED = "../../dist/compiled";

const placeOf = (path) => join(import.meta.dirname, path);

/** Milliseconds; 0 if there is no such file. */
function writtenMs(path) {
  return statSync(placeOf(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const bundledMs = writtenMs(BUNDLED);
if (bundledMs > 0 && BUILD_NOTES.every((path) => writtenMs(path) <= bundledMs)) {
  if (module.enableCompileCache === undefined) {
    const { runCompiled } = await import("./compiled-program.mjs");
    runCompiled(placeOf(BUNDLED));
  } else {
    // From version 22.8 on, Node keeps what it compiles; where it cannot, it goes on without.
    module.enableCompileCache(placeOf(COMPILED));
    createRequire(import.meta.url)(BUNDLED);
  }
} else if (writtenMs(BUILT) > 0) {
  await import("../../dist/services/cli/main.js");
} else {
  process.stderr.write("tickwire is not built yet: run `npm run build` first\n");
  process.exitCode = 2;
}
