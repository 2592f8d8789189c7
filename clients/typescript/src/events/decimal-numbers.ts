/** The nearest double of an exact decimal text; NaN for anything else. */
export function numberOfText(text: string): number {
  return text === "" ? NaN : Number(text);
}

/** The nearest double of an exact decimal text, or undefined where there is none. */
export function numberOfOptionalText(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOfText(text);
}
