/** Numbers and names of one enum. */
export type EnumTable = {
  readonly numberOf: ReadonlyMap<string, number>;
  readonly nameOf: ReadonlyMap<number, string>;
  /** What a number that the schema does not know is read as. */
  readonly unknown: string;
};

/**
 * Used by generated code. `words` are the names of the values without their common prefix; a number
 * that is not one more than the one before follows its word after `=`. `unknown` is the word that a
 * number that the schema does not know is read as.
 */
export function createEnumTable(prefix: string, words: string, unknown: string): EnumTable {
  const numberOf = new Map<string, number>();
  const nameOf = new Map<number, string>();
  let number = 0;
  for (const entry of words.split(" ")) {
    const [word = "", given] = entry.split("=");
    if (given !== undefined) number = Number(given);
    numberOf.set(prefix + word, number);
    nameOf.set(number, prefix + word);
    number += 1;
  }
  return { numberOf, nameOf, unknown: prefix + unknown };
}
