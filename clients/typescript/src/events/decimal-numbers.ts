/** The nearest double of an exact decimal text, or undefined where there is none. */
export function numberOfOptionalText(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
