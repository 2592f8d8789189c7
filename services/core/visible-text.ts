/**
 * Characters that act on a terminal or on how a line is read instead of being seen: controls (C0
 * with newlines and tabs, DEL, C1), soft hyphen and invisible ones, line and paragraph separators,
 * those that turn the direction of writing, variation tags, and halves of surrogate pairs.
 */
const INVISIBLE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;
/** The same without those that JSON text has between its values, newlines among them. */
const INVISIBLE_IN_JSON =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/** Nothing but characters of ASCII that are seen, which is what nearly every text is. */
const PLAIN = /^[ -~]*$/;

/** Most of a foreign text that an error quotes. */
export const QUOTED_CHARACTERS_MAX = 100;

/**
 * Foreign text as one line in which everything can be seen: `\u001b` in place of an escape
 * character. Text without such characters is returned as it is.
 */
export function visibleText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(INVISIBLE, escapeCharacter);
}

/**
 * Valid JSON text with the same meaning in which everything can be seen: JSON lets a few characters
 * through that a terminal obeys.
 */
export function visibleJson(json: string): string {
  return json.replace(INVISIBLE_IN_JSON, escapeCharacter);
}

/** Visible text of several lines, such as help or a list of problems: newlines stay. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visibleText).join("\n");
}

/** Foreign text as an error quotes it: visible, and no more than its first 100 characters. */
export function quotedText(text: string): string {
  if (text.length <= QUOTED_CHARACTERS_MAX) return visibleText(text);
  return `${visibleText(text.slice(0, QUOTED_CHARACTERS_MAX))}…`;
}

/** Most of a message that another process made, such as an ingestor's reason for a refusal. */
const MESSAGE_CHARACTERS_MAX = 300;

/** A message of another process as ours repeats it: one visible line of bounded length. */
export function foreignMessage(text: string): string {
  if (text.length <= MESSAGE_CHARACTERS_MAX) return visibleText(text);
  return `${visibleText(text.slice(0, MESSAGE_CHARACTERS_MAX))}…`;
}

/** `\u001b`; two of them for a character beyond 16 bits. */
function escapeCharacter(character: string): string {
  let escaped = "";
  for (let index = 0; index < character.length; index += 1) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
