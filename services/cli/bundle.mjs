// Puts the built program into few files, dist/program, because a command that reads hundreds of
// them takes longer to load than many run. `npm run build` calls it after the compiler. The files
// hold what the compiler wrote, in the same words, so that a stack trace can be read. They are
// CommonJS, which Node loads in two thirds of the time that it takes for ECMAScript modules.
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { compileFile } from "./compiled-program.mjs";

const ROOT = join(import.meta.dirname, "../..");
const BUILT = join(ROOT, "dist/services/cli/main.js");
const FOLDER = join(ROOT, "dist/program");
const ENTRY = "main.cjs";
/** What Node keeps of the files when it has compiled them; see tickwire.mjs. */
const COMPILED = join(ROOT, "dist/compiled");

/** Which program, compiled by which V8, the folder holds whole. */
const STAMP = "stamp";

/** Starts that are rehearsed, in this order, and what each says when it is over. */
const REHEARSALS = [
  { words: ["--help"], until: "tickwire COMMAND --help" },
  { words: ["dev", "--port", "0", "--admin-port", "0"], until: "tickwire streams" },
  {
    // Nobody is there: what comes before and while it waits is compiled.
    words: "gateway --port 0 --admin-port 0 --set bus.nats.servers=nats://127.0.0.1:9".split(" "),
    until: "waiting for NATS",
  },
];
const REHEARSAL_MS_MAX = 20_000;

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

/** The same for the same program and the same V8. */
function stampOf(output) {
  const hash = createHash("sha256").update(process.versions.v8 + JSON.stringify(REHEARSALS));
  for (const { fileName, code } of output) hash.update(fileName).update(code);
  return hash.digest("hex");
}

function isThere(output, stamp) {
  const path = join(FOLDER, STAMP);
  const files = output.flatMap(({ fileName }) => [fileName, `${fileName}.v8`]);
  if (!existsSync(path) || files.some((file) => !existsSync(join(FOLDER, file)))) return false;
  return readFileSync(path, "utf8") === stamp;
}

/** Has V8 keep what it compiles during starts. A program without that starts later by a tenth. */
async function rehearseAll() {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_"));
  const folder = mkdtempSync(join(tmpdir(), "tickwire-build-"));
  for (const { words, until } of REHEARSALS) {
    const reason = await rehearse(words, { until, cwd: folder, env: Object.fromEntries(own) });
    if (reason === undefined) continue;
    process.stderr.write(`the start of ${words[0]} could not be rehearsed: ${reason}\n`);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the program and ends it when it has said a text. Says why that did not go well. */
async function rehearse(words, { until, ...options }) {
  const script = join(import.meta.dirname, "rehearsal.mjs");
  const child = fork(script, [join(FOLDER, ENTRY), ...words], { ...options, silent: true });
  const timer = setTimeout(() => child.kill("SIGKILL"), REHEARSAL_MS_MAX);
  let said = "";
  let isOver = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      said += text;
      if (isOver || !said.includes(until)) return;
      isOver = true;
      if (child.connected) child.send("enough");
    });
  }
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return code === 0 ? undefined : said;
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
    const compiled = compileFile(path, code);
    names.add(fileName).add(compiled.fileName);
    // V8 knows compiled code by the length of its source, so that of another one must be gone.
    rmSync(join(FOLDER, compiled.fileName), { force: true });
    if (fileName === ENTRY || !existsSync(path)) writeWhole(fileName, code);
    writeWhole(compiled.fileName, compiled.bytes);
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
  if (module.enableCompileCache === undefined) await rehearseAll();
  writeWhole(STAMP, stamp);
}
const now = new Date();
utimesSync(join(FOLDER, ENTRY), now, now);
