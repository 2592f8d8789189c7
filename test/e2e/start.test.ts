import type { Buffer } from "node:buffer";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { wrap } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { afterAll, describe, expect, test } from "vitest";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";
import { compileFile, runCompiled } from "../../services/cli/compiled-program.mjs";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tickwire-start-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the address of each module; Node runs it in a thread beside the program's. */
const HOOK = `
import { writeSync } from "node:fs";
export function load(url, context, nextLoad) {
  writeSync(2, "loaded " + url + "\\n");
  return nextLoad(url, context);
}`;
const asModule = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
const REGISTER = asModule(
  `import { register } from "node:module"; register(${JSON.stringify(asModule(HOOK))});`,
);

/** Addresses of what a command loads, without what Node has in itself. */
function modulesOf(args: readonly string[]): readonly string[] {
  const main = join(ROOT, "dist/services/cli/main.js");
  const { status, stderr } = spawnSync(process.execPath, ["--import", REGISTER, main, ...args], {
    encoding: "utf8",
    maxBuffer: 16 * 1_024 * 1_024,
  });
  expect(status).toBe(0);
  const loaded = [...stderr.matchAll(/^loaded file:\/\/(.*)$/gm)].map(([, path = ""]) => path);
  expect(loaded).toContain(main);
  return loaded.map((path) => path.replace(ROOT, ""));
}

describe("a command loads what it needs and nothing else:", () => {
  test.each([["--version"], ["--help"]])("%s loads no command", (option) => {
    const loaded = modulesOf([option]).filter((path) => path.startsWith("/dist/"));
    expect(loaded.filter((path) => path.includes("/cli/commands/"))).toEqual([]);
    expect(loaded.length).toBeLessThan(40);
  });

  test("the gateway has no venue, no transport, no JetStream and no tokens before it asks", () => {
    const loaded = modulesOf(["gateway", "--help"]);
    expect(loaded.length).toBeGreaterThan(100);
    const late = [
      "/dist/services/ingest/venues/registry",
      "/dist/services/ingest/feed/connection/",
      "/dist/services/gateway/transport/node/transport.js",
      "/dist/services/gateway/transport/uws/transport.js",
      "/dist/services/recording/",
      "/dist/services/bus/jetstream-l",
      "/node_modules/@nats-io/jetstream",
      "/node_modules/jose/",
      "/node_modules/ws/",
      "/node_modules/protobufjs/",
    ];
    for (const part of late) expect(loaded.filter((path) => path.includes(part))).toEqual([]);
  });
});

describe("the program is read from", () => {
  /** What the compiler writes last, for each part of the bundle. */
  const NOTES = [
    "dist/services/tsconfig.tsbuildinfo",
    "proto/dist/tsconfig.tsbuildinfo",
    "clients/typescript/dist/tsconfig.tsbuildinfo",
  ];
  const FILES = {
    program: join(folder, "services/cli/tickwire.mjs"),
    bundle: join(folder, "dist/program/main.cjs"),
    built: join(folder, "dist/services/cli/main.js"),
    notes: NOTES.map((note) => join(folder, note)),
  };

  function write(path: string, text: string, writtenS: number): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    utimesSync(path, writtenS, writtenS);
  }

  /** What is run if the compiler wrote its notes then, and the bundle was made at 2,000. */
  function runWith(notesS: readonly number[]): string {
    mkdirSync(dirname(FILES.program), { recursive: true });
    for (const name of ["tickwire.mjs", "compiled-program.mjs"]) {
      copyFileSync(join(ROOT, "services/cli", name), join(folder, "services/cli", name));
    }
    write(join(folder, "package.json"), '{ "type": "module" }', 1);
    write(FILES.built, 'console.log("the compiler");', notesS[0] ?? 0);
    write(FILES.bundle, 'console.log("the bundle");', 2_000);
    for (const [index, path] of FILES.notes.entries()) write(path, "{}", notesS[index] ?? 0);
    const { stdout } = spawnSync(process.execPath, [FILES.program], { encoding: "utf8" });
    return stdout.trim();
  }

  test("what the compiler notes where it does so", () => {
    expect(NOTES.filter((note) => !existsSync(join(ROOT, note)))).toEqual([]);
  });

  test("the bundle if nothing was compiled after it", () => {
    expect(runWith([1_999, 1_999, 1_999])).toBe("the bundle");
    expect(runWith([2_000, 2_000, 2_000])).toBe("the bundle");
  });

  test("the compiler's files if any part was compiled after the bundle", () => {
    expect(runWith([2_001, 1_999, 1_999])).toBe("the compiler");
    expect(runWith([1_999, 2_001, 1_999])).toBe("the compiler");
    expect(runWith([1_999, 1_999, 2_001])).toBe("the compiler");
  });

  test("the bundle as it is, whatever lies beside it as compiled code", () => {
    for (const compiled of ["", "no code of V8", "\0".repeat(4_096)]) {
      writeFileSync(`${FILES.bundle}.v8`, compiled);
      expect(runWith([1_999, 1_999, 1_999])).toBe("the bundle");
    }
    const code = 'console.log("some other text");';
    writeFileSync(`${FILES.bundle}.v8`, compileFile(FILES.bundle, code));
    expect(runWith([1_999, 1_999, 1_999])).toBe("the bundle");
    rmSync(`${FILES.bundle}.v8`);
  });

  test("files that require each other, each of them once", () => {
    const one = join(dirname(FILES.bundle), "one.cjs");
    writeFileSync(one, 'exports.count = 1; exports.of = require("./two.cjs").name;');
    writeFileSync(
      join(dirname(FILES.bundle), "two.cjs"),
      'exports.name = require("node:path").basename(__filename) + require("./one.cjs").count;',
    );
    const entry = join(dirname(FILES.bundle), "entry.cjs");
    const code = 'const one = require("./one.cjs"); module.exports = () => one.of;';
    writeFileSync(entry, code);
    writeFileSync(`${entry}.v8`, compileFile(entry, code));
    expect((runCompiled(entry) as () => unknown)()).toBe("two.cjs1");
  });

  test("what V8 compiled while a start was rehearsed, with the functions that it called", async () => {
    const entry = join(dirname(FILES.bundle), "rehearsed.cjs");
    const body = "total = 3 * total + 1;".repeat(500);
    const code = `exports.late = (total) => { ${body} return total; };
      console.log(exports.late(0) > process.argv[2]); setInterval(() => {}, 60_000);`;
    writeFileSync(entry, code);
    const script = join(ROOT, "services/cli/rehearsal.mjs");
    const child = fork(script, [entry, "5"], { execArgv: [], silent: true });
    const [said] = (await once(child.stdout ?? child, "data")) as [Buffer];
    child.send("enough");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(said.toString()).toBe("true\n");
    const compiled = readFileSync(`${entry}.v8`);
    const bytes = compileFile(entry, code);
    expect(compiled.length).toBeGreaterThan(bytes.length + body.length / 4);
    const again = new Script(wrap(code), { filename: entry, cachedData: compiled });
    expect(again.cachedDataRejected).toBe(false);
  });

  test.runIf(UWS_IS_EXPECTED)(
    "files that load a package late, although another process has compiled them",
    async () => {
      const program = join(ROOT, "dist/program");
      const name = readdirSync(program).find((file) => /^uws-module-.*\.cjs$/.test(file));
      const { loadUws } = runCompiled(join(program, name ?? "")) as {
        readonly loadUws: () => Promise<{ readonly App: unknown }>;
      };
      expect(typeof (await loadUws()).App).toBe("function");
    },
  );

  test("the compiler's files if there is no bundle", () => {
    runWith([1_999, 1_999, 1_999]);
    rmSync(FILES.bundle);
    const { stdout } = spawnSync(process.execPath, [FILES.program], { encoding: "utf8" });
    expect(stdout.trim()).toBe("the compiler");
  });
});
