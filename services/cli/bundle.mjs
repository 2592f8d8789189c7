// Puts the built program into few files, dist/program, because a command that reads hundreds of
// them takes longer to load than many run. `npm run build` calls it after the compiler. The files
// hold what the compiler wrote, in the same words, so that a stack trace can be read. They are
// CommonJS, which Node loads in two thirds of the time that it takes for ECMAScript modules.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { compileFile } from "./compiled-program.mjs";

const ROOT = join(import.meta.dirname, "../..");
const BUILT = join(ROOT, "dist/services/cli/main.js");
const FOLDER = join(ROOT, "dist/program");
const ENTRY = "main.cjs";
/** What Node keeps of the files when it has compiled them; see tickwire.mjs. */
const COMPILED = join(ROOT, "dist/compiled");

/** Has binaries beside its own files. */
const LEFT_OUT = [/^uWebSockets\.js/];

/** Files find their neighbours from where the compiler has put them, not from the bundle. */
const placesKept = {
  name: "places-kept",
  transform(code, id) {
    if (!id.startsWith(ROOT) || id.includes("/node_modules/")) return;
    if (!code.includes("import.meta.url")) return;
    const place = JSON.stringify(relative(FOLDER, id).replaceAll("\\", "/"));
    return code.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`);
  },
};

/** A reader finds the file as it was before, or whole. */
function writeWhole(fileName, content) {
  const half = join(FOLDER, `.${fileName}.${process.pid}`);
  writeFileSync(half, content);
  renameSync(half, join(FOLDER, fileName));
}

/**
 * Writes what is new and removes what is left over, so that a process that runs meanwhile finds
 * what it has yet to load as long as that is the same. The entry comes last and is the youngest.
 */
function write(output) {
  mkdirSync(FOLDER, { recursive: true });
  const entryLast = output.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry));
  const names = new Set();
  for (const { fileName, code } of entryLast) {
    const path = join(FOLDER, fileName);
    const compiled = compileFile(path, code);
    names.add(fileName).add(compiled.fileName);
    // V8 knows compiled code by the length of its source, so that of another one must be gone.
    rmSync(join(FOLDER, compiled.fileName), { force: true });
    if (fileName === ENTRY || !existsSync(path)) writeWhole(fileName, code);
    writeWhole(compiled.fileName, compiled.bytes);
  }
  const now = new Date();
  utimesSync(join(FOLDER, ENTRY), now, now);
  rmSync(COMPILED, { recursive: true, force: true });
  for (const name of readdirSync(FOLDER)) {
    if (!names.has(name)) rmSync(join(FOLDER, name), { force: true });
  }
}

const bundle = await rolldown({
  input: { main: BUILT },
  platform: "node",
  external: LEFT_OUT,
  plugins: [placesKept],
  // Third parties warn about themselves; what cannot be resolved is an error anyway.
  checks: { eval: false, commonJsVariableInEsm: false },
});
const { output } = await bundle.generate({
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs",
  // Code that was compiled before cannot import: see compiled-program.mjs.
  dynamicImportInCjs: false,
  comments: { annotation: false, jsdoc: false, legal: true },
});
await bundle.close();
write(output);
