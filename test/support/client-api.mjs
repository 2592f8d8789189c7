// The public surface of the client, from its built declarations, so that a change to it is seen in
// review: api.txt is under version control, and a test compares.
//
//   node test/support/client-api.mjs        writes clients/typescript/api.txt; needs `npm run
//   build`
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(import.meta.dirname, "../../clients/typescript");
const DIST = join(ROOT, "dist");
const REPORT = join(ROOT, "api.txt");

/** The entries of package.json by the file of their declarations. */
const ENTRIES = {
  "@tickwire/client": "index.d.ts",
  "@tickwire/client/streams": "streams.d.ts",
  "@tickwire/client/ticks": "ticks.d.ts",
  "@tickwire/client/lite": "lite.d.ts",
  "@tickwire/client/rpc": "rpc.d.ts",
  "@tickwire/client/shared-worker": "shared-worker.d.ts",
};

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|function|const|type|interface) (\w+)/;
const EXPORT_ALL = /^export \* from "(\.[^"]+)";$/;
const REFERENCE = /^(import|export) (type )?\{([^}]*)\} from "(\.[^"]+|@tickwire\/proto\/model)";$/;

/** What events consist of is declared there, and what it refers to. */
const MODEL = join(import.meta.dirname, "../../proto/dist/model/index.d.ts");

/** The file of the declarations that `path` names in another such file. */
function declarationsOf(file, path) {
  if (path === "@tickwire/proto/model") return MODEL;
  return join(dirname(file), path.replace(/\.ts$/, ".d.ts"));
}

/** A module's statements without comments, and which names it takes from which of our modules. */
function readModule(file) {
  const text = readFileSync(file, "utf8").replaceAll(/^ *\/\*\*?[\s\S]*?\*\/\n|^ *\/\/.*\n/gm, "");
  const module = { declarations: new Map(), imports: new Map(), exports: new Map() };
  for (const statement of text.split(/\n(?=\S)(?![}\])])/).map((part) => part.trim())) {
    const all = EXPORT_ALL.exec(statement)?.[1];
    if (all !== undefined) {
      for (const entry of readModule(declarationsOf(file, all)).exports) {
        module.exports.set(...entry);
      }
      continue;
    }
    const reference = REFERENCE.exec(statement.replaceAll(/\s+/g, " "));
    if (reference !== null) {
      const [, verb, isType, names, path] = reference;
      const target = declarationsOf(file, path);
      for (const name of names
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean)) {
        const plain = name.replace(/^type /, "");
        const entry = { target, isType: isType !== undefined || plain !== name };
        (verb === "import" ? module.imports : module.exports).set(plain, entry);
      }
      continue;
    }
    const name = DECLARATION.exec(statement)?.[1];
    // Overloads of a function are statements of their own.
    if (name !== undefined) {
      const before = module.declarations.get(name);
      module.declarations.set(name, before === undefined ? statement : `${before}\n${statement}`);
    }
  }
  return module;
}

/** What others can see of a declaration: of a class that is a type only, not how it is made. */
function visiblePart(statement, isTypeOnly) {
  const hidden = isTypeOnly ? /^ +(#private;|private |constructor\()/ : /^ +(#private;|private )/;
  const lines = [];
  let depth = 0;
  for (const line of statement.split("\n")) {
    if (depth === 0 && !hidden.test(line)) lines.push(line.replace(/^export (?=declare|type)/, ""));
    else depth += (line.match(/[({]/g) ?? []).length - (line.match(/[)}]/g) ?? []).length;
  }
  return lines.join("\n");
}

/** Everything that an entry exports, by name, and the types of ours that it needs besides. */
export function surfaceOf(entry) {
  const modules = new Map();
  const moduleOf = (file) => {
    if (!modules.has(file)) modules.set(file, readModule(file));
    return modules.get(file);
  };
  const seen = new Map();
  const visit = (file, name, isTypeOnly, isExported) => {
    const module = moduleOf(file);
    const statement = module.declarations.get(name);
    if (statement === undefined) {
      const from = module.imports.get(name) ?? module.exports.get(name);
      if (from !== undefined) visit(from.target, name, isTypeOnly, isExported);
      else if (isExported) seen.set(name, { text: `${name}, of @tickwire/proto`, isExported });
      return;
    }
    const known = seen.get(name);
    if (known !== undefined) {
      known.isExported ||= isExported;
      return;
    }
    const text = visiblePart(statement, isTypeOnly);
    seen.set(name, { text, isExported });
    for (const word of new Set(text.match(/\b[A-Za-z]\w*\b/g))) {
      const isOurs = module.declarations.has(word) || module.imports.has(word);
      if (isOurs && word !== name) visit(file, word, true, false);
    }
  };
  const entryFile = join(DIST, entry);
  const { declarations, exports } = moduleOf(entryFile);
  for (const [name, { target, isType }] of exports) visit(target, name, isType, true);
  for (const name of declarations.keys()) visit(entryFile, name, false, true);
  return new Map([...seen].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The report of every entry. A declaration that several have is written once. */
export function apiReport() {
  const parts = [];
  const written = new Map();
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const surface = surfaceOf(entry);
    const exported = [...surface].filter(([, { isExported }]) => isExported);
    parts.push(`## ${name}`, exported.map(([export_]) => export_).join("\n"));
    for (const [declared, { text, isExported }] of surface) {
      if (!written.has(declared) || isExported) {
        written.set(declared, {
          text,
          isExported: isExported || written.get(declared)?.isExported,
        });
      }
    }
  }
  parts.push("## Declarations");
  for (const [, { text, isExported }] of [...written].sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(isExported ? text : `// Not exported by name.\n${text}`);
  }
  return `${parts.join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(REPORT, apiReport());
