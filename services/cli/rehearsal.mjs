// Starts the bundled program as its users do, and keeps what V8 has compiled by then beside it: the
// functions that a start calls, which V8 compiles when they are called first. The build forks it:
//
//   node rehearsal.mjs ENTRY [ARGUMENT...]
//
// It ends when the program does, or when it is told to.
import { compiledPathOf, runCompiled } from "./compiled-program.mjs";
import { writeWhole } from "./write-whole.mjs";

const [entry, ...words] = process.argv.slice(2);
process.argv = [process.execPath, entry, ...words];
const scripts = new Map();
process.on("exit", () => {
  for (const [path, script] of scripts) {
    writeWhole(compiledPathOf(path), script.createCachedData());
  }
});
process.on("message", () => process.exit(0));
process.channel.unref();
runCompiled(entry, (path, script) => scripts.set(path, script));
