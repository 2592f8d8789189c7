/** Which global names a file uses, told apart from its own names by the scopes of the language. */

import type { SourceFile } from "./source-files.ts";
import { childOf, childrenOf, isNode, lineOf, listOf, syntaxOf, textOf } from "./syntax.ts";
import type { SyntaxNode } from "./syntax.ts";

export type GlobalUse = {
  /** `Date`, or `Date.now` where a member of it is named; `Date.?` where the member is computed. */
  readonly name: string;
  /** Made by `new` with at least one argument: `new Date(0)` reads no clock. */
  readonly constructedFrom: boolean;
  readonly line: number;
};

type Scopes = readonly ReadonlySet<string>[];

/** Every use of a name that the file does not declare itself, as a value. */
export function globalsOf(file: SourceFile): GlobalUse[] {
  const uses: GlobalUse[] = [];
  const note = (node: SyntaxNode, name: string, constructedFrom = false): void => {
    uses.push({ name, constructedFrom, line: lineOf(file, node.start) });
  };
  visit(syntaxOf(file).program, [], note);
  return uses;
}

type Note = (node: SyntaxNode, name: string, constructedFrom?: boolean) => void;

function visit(node: SyntaxNode, outer: Scopes, note: Note): void {
  const own = declaredIn(node);
  const scopes = own.size === 0 ? outer : [...outer, own];
  const isGlobal = (name: string): boolean => !scopes.some((scope) => scope.has(name));
  if (node.type === "Identifier") {
    const name = textOf(node) ?? "";
    if (isGlobal(name)) note(node, name);
    return;
  }
  if (node.type === "MemberExpression") {
    const root = textOf(identifier(childOf(node, "object")));
    if (root !== undefined && isGlobal(root)) {
      note(node, `${root}.${memberName(node)}`);
      if (node["computed"] === true) visitAll([childOf(node, "property")], scopes, note);
      return;
    }
  }
  if (node.type === "NewExpression") {
    const callee = textOf(identifier(childOf(node, "callee")));
    if (callee !== undefined && isGlobal(callee)) {
      note(node, callee, listOf(node, "arguments").length > 0);
      visitAll(listOf(node, "arguments"), scopes, note);
      return;
    }
  }
  visitAll(valuesBelow(node), scopes, note);
}

function visitAll(nodes: readonly (SyntaxNode | undefined)[], scopes: Scopes, note: Note): void {
  for (const node of nodes) if (node !== undefined) visit(node, scopes, note);
}

/** TypeScript's wrappers around an expression; every other node of its own is a type. */
const TYPED_EXPRESSIONS = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSExportAssignment",
  "TSParameterProperty",
]);

/** The nodes below that are, or hold, values: neither types nor names of members and labels. */
function valuesBelow(node: SyntaxNode): SyntaxNode[] {
  if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") return [];
  if (node.type === "ExportSpecifier" || node.type === "MetaProperty") return [];
  const skipped = new Set<unknown>();
  if (node["computed"] !== true && (node.type === "MemberExpression" || "key" in node)) {
    skipped.add(node["property"] ?? node["key"]);
  }
  skipped.add(node["label"]);
  // Asking what something is uses nothing of it.
  if (node["operator"] === "instanceof") skipped.add(node["right"]);
  return childrenOf(node).filter(
    (child) =>
      !skipped.has(child) && (!child.type.startsWith("TS") || TYPED_EXPRESSIONS.has(child.type)),
  );
}

/** The names that a node declares for what stands below it. */
function declaredIn(node: SyntaxNode): Set<string> {
  const names = new Set<string>();
  const addPattern = (pattern: SyntaxNode | undefined): void => addBound(pattern, names);
  for (const statement of bodyOf(node)) addDeclared(statement, names);
  for (const parameter of listOf(node, "params")) addPattern(parameter);
  if (node.type === "CatchClause") addPattern(childOf(node, "param"));
  if (node.type.startsWith("For")) {
    for (const key of ["init", "left"]) {
      const head = childOf(node, key);
      if (head?.type === "VariableDeclaration") addDeclared(head, names);
    }
  }
  if (/^(Function|Class)Expression$/.test(node.type)) addPattern(childOf(node, "id"));
  return names;
}

function bodyOf(node: SyntaxNode): SyntaxNode[] {
  if (node.type === "SwitchStatement") {
    return listOf(node, "cases").flatMap((branch) => listOf(branch, "consequent"));
  }
  return /^(Program|BlockStatement|FunctionBody|StaticBlock)$/.test(node.type)
    ? listOf(node, "body")
    : [];
}

function addDeclared(statement: SyntaxNode, names: Set<string>): void {
  // `declare const fetch: …` only describes what is global.
  if (statement["declare"] === true) return;
  const exported = childOf(statement, "declaration");
  if (exported !== undefined) addDeclared(exported, names);
  if (statement.type === "ImportDeclaration") {
    for (const specifier of listOf(statement, "specifiers")) {
      addBound(childOf(specifier, "local"), names);
    }
  }
  for (const declarator of listOf(statement, "declarations")) {
    addBound(childOf(declarator, "id"), names);
  }
  addBound(childOf(statement, "id"), names);
}

/** The names that a pattern binds: `{ a, b: [c = d], ...e }` binds a, c and e. */
function addBound(pattern: SyntaxNode | undefined, names: Set<string>): void {
  if (pattern === undefined) return;
  if (pattern.type === "Identifier") names.add(textOf(pattern) ?? "");
  for (const key of ["argument", "left", "value", "parameter"]) {
    addBound(childOf(pattern, key), names);
  }
  for (const key of ["properties", "elements"]) {
    for (const part of listOf(pattern, key)) addBound(part, names);
  }
}

function identifier(node: SyntaxNode | undefined): SyntaxNode | undefined {
  return node?.type === "Identifier" ? node : undefined;
}

function memberName(node: SyntaxNode): string {
  const property = node["property"];
  if (!isNode(property)) return "?";
  if (node["computed"] === true && property.type === "Identifier") return "?";
  return textOf(property) ?? "?";
}
