/**
 * Syntax trees of the sources. The parser is that of vite, which the repository has for the
 * bundle tests; it knows TypeScript and reads the whole tree in less than a second.
 */

import { parseSync } from "vite";
import type { SourceFile } from "./source-files.ts";

/** A node of the ESTree; what it has besides its type depends on the type. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

type SyntaxComment = {
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

type Syntax = {
  readonly program: SyntaxNode;
  readonly comments: readonly SyntaxComment[];
};

const parsed = new WeakMap<SourceFile, Syntax>();

/** The syntax of a file. Throws on a file that does not parse: no rule could judge it. */
export function syntaxOf(file: SourceFile): Syntax {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const result = parseSync(file.path, file.text, {
    lang: languageOf(file.path),
    sourceType: "module",
  });
  const [error] = result.errors;
  if (error !== undefined) throw new Error(`${file.path} does not parse: ${error.message}`);
  const syntax = {
    program: result.program as unknown as SyntaxNode,
    comments: result.comments,
  };
  parsed.set(file, syntax);
  return syntax;
}

/** Scripts of components are all in TypeScript. */
function languageOf(path: string): "ts" | "tsx" | "js" {
  if (path.endsWith(".tsx")) return "tsx";
  return /\.(ts|vue)$/.test(path) ? "ts" : "js";
}

/** The nodes that stand directly below a node, in the order of the source. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children;
}

/** Calls `visit` for a node and everything below it. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node);
  for (const child of childrenOf(node)) walk(child, visit);
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, "type") === "string"
  );
}

/** The child of that name, when there is one. */
export function childOf(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key];
  return isNode(child) ? child : undefined;
}

/** The children in the list of that name. */
export function listOf(node: SyntaxNode, key: string): SyntaxNode[] {
  const list = node[key];
  return Array.isArray(list) ? list.filter(isNode) : [];
}

/** The name of an identifier or the value of a text literal; undefined for everything else. */
export function textOf(node: SyntaxNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === "Identifier") return String(node["name"]);
  if (node.type === "TemplateLiteral" && listOf(node, "expressions").length === 0) {
    const value = listOf(node, "quasis")[0]?.["value"];
    return String(Reflect.get(value as object, "cooked"));
  }
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

/** The line, counted from 1, in which an offset of the text lies. */
export function lineOf(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split("\n").length;
}

/** The text with every comment blanked out, so that offsets and lines stay. */
export function codeOf(file: SourceFile): string {
  let code = file.text;
  for (const { start, end } of syntaxOf(file).comments) {
    const blank = code.slice(start, end).replace(/[^\n]/g, " ");
    code = code.slice(0, start) + blank + code.slice(end);
  }
  return code;
}
