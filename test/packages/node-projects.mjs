// Node: import and require, both with types.
import { join } from "node:path";
import { checkTypes, createProject, run, SESSION } from "./workspace.mjs";

const MAIN = `
declare const process: { readonly argv: readonly string[] };
const client = await connect(process.argv[2] ?? "");
${SESSION}
console.log(told);
`;

/** `import` and top-level await. */
export async function tryNodeImport({ folder, packages, url }) {
  const text = `import { connect } from "@tickwire/client";\n${MAIN}`;
  const files = { "main.ts": text, "main.mjs": withoutTypes(text) };
  await createProject(folder, { files, packages });
  await checkTypes(folder, { module: "nodenext" }, ["main.ts"]);
  return run(process.execPath, ["main.mjs", url], { cwd: folder });
}

/** `require`, which Node has for such packages since 20.19. */
export async function tryNodeRequire({ folder, packages, url }) {
  const body = MAIN.replace(/^declare.*$/m, "");
  const text = `
import { connect } from "@tickwire/client";
import { formatDecimal } from "@tickwire/proto/model";
declare const process: { readonly argv: readonly string[] };
async function main(): Promise<void> {
${body}
if (formatDecimal(125, 2) !== "1.25") throw new Error("no decimal");
}
void main();
`;
  const script = withoutTypes(text)
    .replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);")
    .replace("(): Promise<void>", "()");
  const files = { "main.cts": text, "main.cjs": script };
  await createProject(folder, { files, packages });
  await checkTypes(folder, { module: "nodenext" }, ["main.cts"]);
  return run(process.execPath, [join(folder, "main.cjs"), url], { cwd: folder });
}

function withoutTypes(text) {
  return text.replace(/^declare.*$/gm, "");
}
