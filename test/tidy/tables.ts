import { isTest, type SourceFile } from "./source-files.ts";

/**
 * Tables that are looked up by a name of somebody else's. In an object such a name may be
 * `constructor`, and what is found is a member of its prototype; a Map has none.
 */
const FOREIGN_KEYS: readonly RegExp[] = [
  /^(?:export )?const \w+: (?:Readonly<)?(?:Partial<)?Record<string,/,
  /\[\w+ as keyof typeof \w+\]/,
];

/** Where what a venue sends is read. */
const PLACE = "services/ingest/";

/** The objects that a venue's names could be looked up in. */
export function checkTables(file: SourceFile): string[] {
  if (!file.path.startsWith(PLACE) || isTest(file.path)) return [];
  return file.text.split("\n").flatMap((line, index) => {
    if (line.includes("Object.hasOwn") || !FOREIGN_KEYS.some((each) => each.test(line))) return [];
    return [`${file.path}:${index + 1} is an object looked up by any name; make it a Map`];
  });
}
