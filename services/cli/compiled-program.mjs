// Runs the bundled program with what V8 made of it when it was built, because compiling it is a
// quarter of a start. For versions of Node that do not keep compiled code by themselves.
import { readFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import vm from "node:vm";

/** Beside each file of the program: its code as V8 has compiled it. */
const COMPILED_SUFFIX = ".v8";

/**
 * The code of one file as a script; without `cachedData` it is compiled when it runs. It requires
 * what it loads late: `import()` fails in code that another process has compiled.
 */
function scriptOf(path, code, cachedData) {
  return new vm.Script(module.wrap(code), { filename: path, cachedData });
}

/** Where `runCompiled` looks for what of a file is compiled. */
export function compiledPathOf(path) {
  return path + COMPILED_SUFFIX;
}

/** What it finds there at first. */
export function compileFile(path, code) {
  return scriptOf(path, code, undefined).createCachedData();
}

function readCompiled(path) {
  try {
    return readFileSync(compiledPathOf(path));
  } catch {
    // Only slower without: another version of V8 refuses what this one would take, too.
    return undefined;
  }
}

/**
 * Runs a file of CommonJS as `require` does, and those files beside it that it requires. What was
 * compiled for another version of V8 or with other options is compiled anew. `onScript` is called
 * with each file before it runs.
 */
export function runCompiled(entry, onScript) {
  const folder = dirname(entry);
  const ofNode = createRequire(entry);
  const loaded = new Map();
  const load = (path) => {
    const known = loaded.get(path);
    if (known !== undefined) return known.exports;
    const one = { exports: {} };
    loaded.set(path, one);
    const script = scriptOf(path, readFileSync(path, "utf8"), readCompiled(path));
    onScript?.(path, script);
    const run = script.runInThisContext();
    run.call(one.exports, one.exports, requireBeside, one, path, folder);
    return one.exports;
  };
  const requireBeside = Object.assign(
    (name) => (name.startsWith("./") ? load(join(folder, name)) : ofNode(name)),
    { resolve: ofNode.resolve, cache: ofNode.cache, main: undefined },
  );
  return load(entry);
}
