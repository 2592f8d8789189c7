/** What must not land: unfinished marks, focused or postponed tests, errors that nobody sees. */

import { isCode, isGenerated, type SourceFile } from "./source-files.ts";
import { childOf, lineOf, listOf, syntaxOf, textOf, walk, type SyntaxNode } from "./syntax.ts";

const UNFINISHED = /\b(FIXME|TODO|XXX)\b/;

export function checkMarks(file: SourceFile): string[] {
  if (isGenerated(file.path) || file.path.startsWith("test/tidy/")) return [];
  if (file.path.endsWith(".proto")) {
    return UNFINISHED.test(file.text) ? [`${file.path} has an unfinished mark`] : [];
  }
  if (!isCode(file.path)) return [];
  const { program, comments } = syntaxOf(file);
  const problems: string[] = [];
  const at = (offset: number): string => `${file.path}:${lineOf(file, offset)}`;
  for (const { value, start } of comments) {
    if (UNFINISHED.test(value)) problems.push(`${at(start)} has an unfinished mark`);
  }
  const isSilent = (node: SyntaxNode | undefined): boolean =>
    node !== undefined &&
    listOf(node, "body").length === 0 &&
    !comments.some(({ start, end }) => start > node.start && end < node.end);
  walk(program, (node) => {
    if (isPostponedTest(node)) problems.push(`${at(node.start)} focuses or postpones a test`);
    if (node.type === "CatchClause" && isSilent(childOf(node, "body"))) {
      problems.push(`${at(node.start)} swallows an error without a word`);
    }
    if (isSilentRejection(node, isSilent)) {
      problems.push(`${at(node.start)} swallows a rejection without a word`);
    }
    if (node.type === "TSEnumDeclaration") {
      problems.push(`${at(node.start)} has an enum; use a constant object`);
    }
  });
  return problems;
}

/** `test.only`, `describe.skip` and the like; `skipIf` says its condition and is fine. */
function isPostponedTest(node: SyntaxNode): boolean {
  if (node.type !== "MemberExpression") return false;
  const object = textOf(childOf(node, "object")) ?? "";
  const property = textOf(childOf(node, "property")) ?? "";
  return /^(it|test|describe)$/.test(object) && /^(only|todo|skip|fails)$/.test(property);
}

/** `promise.catch(() => {})` without a comment. */
function isSilentRejection(
  node: SyntaxNode,
  isSilent: (node: SyntaxNode | undefined) => boolean,
): boolean {
  if (node.type !== "CallExpression") return false;
  const callee = childOf(node, "callee");
  if (callee === undefined || textOf(childOf(callee, "property")) !== "catch") return false;
  const handler = listOf(node, "arguments")[0];
  const body = handler === undefined ? undefined : childOf(handler, "body");
  return body?.type === "BlockStatement" && isSilent(body);
}
