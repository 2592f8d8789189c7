// Which names that a user of the packages sees have no doc comment, by the built declarations.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

const DECLARATION =
  /^export (?:declare )?(?:abstract )?(class|function|const|type|interface) (\w+)/;
/** Of a type or class, four spaces in. `constructor` says what its class says. */
const MEMBER =
  /^ {4}(?:readonly |get |set |static |async |abstract )*(?!constructor\b)([A-Za-z_]\w*)\??[(:<]/;

/** The names that an entry of a package exports by name. */
export function exportedNames(file) {
  const text = readFileSync(join(ROOT, file), "utf8");
  return new Set(
    [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
      names.split(",").map((name) => name.replace(/^\s*type /, "").trim()),
    ),
  );
}

/** Every file of declarations in a folder, as a list of lines. */
export function declarationsIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => ({
      file: join(folder, file),
      lines: readFileSync(join(ROOT, folder, file), "utf8").split("\n"),
    }));
}

/** The names without a comment, such as `Client.rpc`, among those that `isVisible` says. */
export function undocumentedNames({ file, lines }, isVisible) {
  const missing = [];
  let owner;
  let hasMembers = false;
  // Overloads have their comment before the first of them.
  let documented = "";
  for (const [index, line] of lines.entries()) {
    const hasComment = lines[index - 1]?.endsWith("*/") === true;
    const [, kind, declared] = DECLARATION.exec(line) ?? [];
    if (declared !== undefined) {
      owner = isVisible(declared) ? declared : undefined;
      // Of functions, the lines below are parameters.
      hasMembers = kind !== "function";
      if (declared !== documented) documented = "";
    } else if (/^\S/.test(line) && !/^[}|/]/.test(line)) owner = undefined;
    const name = declared ?? (hasMembers ? MEMBER.exec(line)?.[1] : undefined);
    if (owner === undefined || name === undefined) continue;
    const full = declared === undefined ? `${owner}.${name}` : owner;
    if (hasComment) documented = full;
    else if (documented !== full) missing.push(`${file}: ${full}`);
  }
  return missing;
}
