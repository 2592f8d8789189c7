/** What a file imports, by every form that the language has, and where that leads. */

import { builtinModules } from "node:module";
import { joinPath, type SourceFile } from "./source-files.ts";
import { childOf, lineOf, listOf, syntaxOf, textOf, walk, type SyntaxNode } from "./syntax.ts";
import { PUBLISHED } from "./workspace.ts";

type Reference = {
  /** As it is written; undefined where it is computed and nobody can tell. */
  readonly specifier: string | undefined;
  /** `new URL("./x", import.meta.url)`: an address of a file, which need not be a module. */
  readonly isAddress: boolean;
  /** Only types are taken, of which nothing is left at run time. */
  readonly isType: boolean;
  /** What is taken from there. "*" means all of it, and nothing for an import for its effect. */
  readonly names: readonly string[];
  readonly line: number;
};

/** Where a specifier leads: to a file of the tree, to a package, or to a published one of ours. */
export type Target = {
  /** Of a file in the tree, also where it is reached through a package of the workspace. */
  readonly path?: string;
  /** A package with its subpath, `node:` modules always with the prefix. */
  readonly packageName?: string;
};

const references = new WeakMap<SourceFile, readonly Reference[]>();

/** Every module that a file names: static and dynamic, for values, types, effects and addresses. */
export function referencesOf(file: SourceFile): readonly Reference[] {
  const known = references.get(file);
  if (known !== undefined) return known;
  const found: Reference[] = [];
  walk(syntaxOf(file).program, (node) => {
    const reference = readReference(node);
    if (reference !== undefined) found.push({ ...reference, line: lineOf(file, node.start) });
  });
  references.set(file, found);
  return found;
}

/** Follows a specifier from the file in which it is written. */
export function resolveSpecifier(from: string, specifier: string): Target {
  if (specifier.startsWith(".")) {
    return { path: sourceOf(joinPath(from, specifier.replace(/[?#].*$/, ""))) };
  }
  if (specifier.startsWith("#test/")) return { path: joinPath("x", specifier.slice(1)) };
  if (specifier.startsWith("#")) return { path: joinPath("services/x", specifier.slice(1)) };
  const path = PUBLISHED.get(specifier)?.at(-1);
  if (path !== undefined) return { path, packageName: specifier };
  const builtin = builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
  return { packageName: builtin };
}

/** The files of the tree that a file names, each once. */
export function filesReferencedBy(file: SourceFile): string[] {
  const paths = new Set<string>();
  for (const { specifier } of referencesOf(file)) {
    const path = specifier === undefined ? undefined : resolveSpecifier(file.path, specifier).path;
    if (path !== undefined && path !== file.path) paths.add(path);
  }
  return [...paths];
}

function readReference(node: SyntaxNode): Omit<Reference, "line"> | undefined {
  switch (node.type) {
    case "ImportDeclaration":
      return named(node, listOf(node, "specifiers").map(importedName));
    case "ExportNamedDeclaration": {
      if (childOf(node, "source") === undefined) return undefined;
      return named(node, listOf(node, "specifiers").map(localName));
    }
    case "ExportAllDeclaration":
    case "ImportExpression":
      return named(node, ["*"]);
    case "TSImportType":
      return { ...named(node, [qualifierName(childOf(node, "qualifier"))]), isType: true };
    case "TSExternalModuleReference":
      return reference(childOf(node, "expression"), ["*"]);
    case "CallExpression":
      return isRequire(node) ? firstArgument(node) : undefined;
    case "NewExpression":
      return isModuleAddress(node) ? { ...firstArgument(node), isAddress: true } : undefined;
    default:
      return undefined;
  }
}

function named(node: SyntaxNode, names: readonly string[]): Omit<Reference, "line"> {
  return { ...reference(childOf(node, "source"), names), isType: isOfTypes(node) };
}

function firstArgument(node: SyntaxNode): Omit<Reference, "line"> {
  return reference(listOf(node, "arguments")[0], ["*"]);
}

/** Only a text can be followed; the name of a variable says nothing about its value. */
function reference(
  source: SyntaxNode | undefined,
  names: readonly string[],
): Omit<Reference, "line"> {
  const specifier = source?.type === "Identifier" ? undefined : textOf(source);
  return { specifier, names, isAddress: false, isType: false };
}

/** `import type …`, and `import { type A, type B } …`. */
function isOfTypes(node: SyntaxNode): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const specifiers = listOf(node, "specifiers");
  return specifiers.length > 0 && specifiers.every((one) => one["importKind"] === "type");
}

function importedName(specifier: SyntaxNode): string {
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  return textOf(childOf(specifier, "imported")) ?? "*";
}

function localName(specifier: SyntaxNode): string {
  return textOf(childOf(specifier, "local")) ?? "*";
}

/** Of `import("x").A.B` the name that is taken from the module, which is A. */
function qualifierName(qualifier: SyntaxNode | undefined): string {
  const left = qualifier === undefined ? undefined : childOf(qualifier, "left");
  return left === undefined ? (textOf(qualifier) ?? "*") : qualifierName(left);
}

/** `require("x")`, `require.resolve("x")` and `import.meta.resolve("x")`. */
function isRequire(call: SyntaxNode): boolean {
  const callee = childOf(call, "callee");
  if (callee === undefined) return false;
  if (textOf(callee) === "require") return true;
  const object = childOf(callee, "object");
  if (object === undefined || textOf(childOf(callee, "property")) !== "resolve") return false;
  return textOf(object) === "require" || object.type === "MetaProperty";
}

/** `new URL("./x", import.meta.url)`. */
function isModuleAddress(call: SyntaxNode): boolean {
  if (textOf(childOf(call, "callee")) !== "URL") return false;
  const base = listOf(call, "arguments")[1];
  return base !== undefined && childOf(base, "object")?.type === "MetaProperty";
}

/** The file that a built one is made of. */
function sourceOf(path: string): string {
  return path.startsWith("dist/") ? path.slice(5).replace(/\.js$/, ".ts") : path;
}
