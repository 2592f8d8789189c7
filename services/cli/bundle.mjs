// Puts the built program into few files, dist/program, because a command that reads hundreds of
// them takes longer to load than many run. `npm run build` calls it after the compiler. The files
// hold what the compiler wrote, in the same words, so that a stack trace can be read. They are
// CommonJS, which Node loads in two thirds of the time that it takes for ECMAScript modules.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import module from "node:module";
import { basename, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { compiledPathOf, compileFile } from "./compiled-program.mjs";
import { REHEARSALS, rehearse } from "./rehearsals.mjs";
import { writeWhole } from "./write-whole.mjs";

const ROOT = join(import.meta.dirname, "../..");
const BUILT = join(ROOT, "dist/services/cli/main.js");
const FOLDER = join(ROOT, "dist/program");
const ENTRY = "main.cjs";
/** What Node keeps of the files when it has compiled them; see tickwire.mjs. */
const COMPILED = join(ROOT, "dist/compiled");

/** Which program, compiled by which V8, the folder holds whole. */
const STAMP = "stamp";

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

/** The same for the same program and the same V8. */
function stampOf(output) {
  const hash = createHash("sha256").update(process.versions.v8 + JSON.stringify(REHEARSALS));
  for (const { fileName, code } of output) hash.update(fileName).update(code);
  return hash.digest("hex");
}

function isThere(output, stamp) {
  const files = output.map(({ fileName }) => join(FOLDER, fileName));
  const all = [join(FOLDER, STAMP), ...files, ...files.map(compiledPathOf)];
  return all.every((path) => existsSync(path)) && readFileSync(all[0], "utf8") === stamp;
}

/**
 * Writes what is new and removes what is left over, so that a process that runs meanwhile finds
 * what it has yet to load as long as that is the same. The entry comes last and is the youngest.
 */
function write(output) {
  mkdirSync(FOLDER, { recursive: true });
  const entryLast = output.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry));
  const names = new Set([STAMP]);
  rmSync(join(FOLDER, STAMP), { force: true });
  for (const { fileName, code } of entryLast) {
    const path = join(FOLDER, fileName);
    const compiled = compiledPathOf(path);
    names.add(fileName).add(basename(compiled));
    // V8 knows compiled code by the length of its source, so that of another one must be gone.
    rmSync(compiled, { force: true });
    if (fileName === ENTRY || !existsSync(path)) writeWhole(path, code);
    writeWhole(compiled, compileFile(path, code));
  }
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
const stamp = stampOf(output);
if (!isThere(output, stamp)) {
  write(output);
  // From version 22.8 on, Node keeps by itself what it compiles while it runs: see tickwire.mjs.
  if (module.enableCompileCache === undefined) await rehearse(join(FOLDER, ENTRY));
  writeWhole(join(FOLDER, STAMP), stamp);
}
const now = new Date();
utimesSync(join(FOLDER, ENTRY), now, now);
