// Next, Deno and Bun, which are installed for the occasion.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createProject, run, SESSION } from "./workspace.mjs";
import { showPage } from "./vite-project.mjs";

/** A page of Next whose component runs in the browser, exported as files; Next checks its types. */
export async function tryNext({ folder, packages, url }) {
  const files = {
    "next.config.mjs": `export default { output: "export" };\n`,
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        target: "es2022",
        lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
        module: "esnext",
        moduleResolution: "bundler",
        jsx: "preserve",
        isolatedModules: true,
        esModuleInterop: true,
        resolveJsonModule: true,
        plugins: [{ name: "next" }],
      },
      include: ["**/*.ts", "**/*.tsx"],
      exclude: ["node_modules"],
    }),
    "app/layout.tsx": `
export default function Layout({ children }: { children: React.ReactNode }) {
  return <html><body>{children}</body></html>;
}`,
    "app/page.tsx": `
"use client";
import { connect } from "@tickwire/client";
import { useEffect } from "react";
async function show() {
  const client = await connect(new URLSearchParams(location.search).get("gateway") ?? "");
  ${SESSION}
  document.body.dataset["told"] = told;
}
export default function Page() {
  useEffect(() => void show(), []);
  return <p>Tickwire</p>;
}`,
  };
  const more = ["next", "react", "react-dom", "@types/react", "@types/node", "typescript@5.9"];
  await createProject(folder, { files, packages: [...packages, ...more] });
  const env = { NEXT_TELEMETRY_DISABLED: "1" };
  const next = join(folder, "node_modules/next/dist/bin/next");
  await run(process.execPath, [next, "build"], { cwd: folder, env, timeoutMs: 600_000 });
  return showPage(join(folder, "out"), url);
}

const MAIN = (argument) => `
import { connect } from "@tickwire/client";
const client = await connect(${argument} ?? "");
${SESSION}
console.log(told);
`;

/** Deno, with the node_modules folder that npm made; it checks types itself. */
export async function tryDeno({ folder, packages, url }) {
  const files = {
    "main.ts": MAIN("Deno.args[0]"),
    "deno.json": JSON.stringify({ nodeModulesDir: "manual" }),
  };
  await createProject(folder, { files, packages: [...packages, "deno"] });
  const deno = binaryOf(folder, [
    "node_modules/@deno/linux-x64-glibc/deno",
    "node_modules/@deno/linux-arm64-glibc/deno",
    "node_modules/@deno/darwin-arm64/deno",
    "node_modules/@deno/darwin-x64/deno",
  ]);
  const env = { DENO_NO_UPDATE_CHECK: "1" };
  await run(deno, ["check", "main.ts"], { cwd: folder, env });
  return run(deno, ["run", "--allow-net", "--allow-env", "--allow-read", "main.ts", url], {
    cwd: folder,
    env,
  });
}

/** Bun, which runs TypeScript without looking at its types. */
export async function tryBun({ folder, packages, url }) {
  const files = { "main.ts": MAIN("process.argv[2]") };
  await createProject(folder, { files, packages: [...packages, "bun"] });
  const bun = binaryOf(folder, [
    "node_modules/@oven/bun-linux-x64/bin/bun",
    "node_modules/@oven/bun-linux-x64-baseline/bin/bun",
    "node_modules/@oven/bun-linux-aarch64/bin/bun",
    "node_modules/@oven/bun-darwin-aarch64/bin/bun",
    "node_modules/@oven/bun-darwin-x64/bin/bun",
    // Where its install script has moved it.
    "node_modules/bun/bin/bun.exe",
  ]);
  return run(bun, ["main.ts", url], { cwd: folder });
}

function binaryOf(folder, paths) {
  const found = paths.map((path) => join(folder, path)).find(existsSync);
  if (found === undefined) throw new Error(`npm has installed none of ${paths.join(", ")}`);
  return found;
}
