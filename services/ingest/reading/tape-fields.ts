import { JsonKind, type JsonTape, MISSING } from "#core/json-tape.ts";
import { BAD_DECIMAL, decimalText } from "./text-fields.ts";
import { epochTimeUs, BAD_TIME } from "./venue-time.ts";

/** The elements of an array, in order. It makes a list, which only rare messages should. */
export function elementsOf(tape: JsonTape, array: number): number[] {
  const nodes: number[] = [];
  for (let node = tape.first(array); node !== MISSING; node = tape.next(node)) nodes.push(node);
  return nodes;
}

/** The text of a field that holds a text or a number; undefined if it does not. */
export function textAt(tape: JsonTape, object: number, name: string): string | undefined {
  return tape.text(tape.get(object, name));
}

/**
 * The text of a field that should hold a decimal: undefined if it is missing or null, BAD_DECIMAL
 * if it is neither text nor number.
 */
export function decimalFieldOf(tape: JsonTape, object: number, name: string): string | undefined {
  const node = tape.get(object, name);
  const kind = tape.kind(node);
  if (kind === JsonKind.Missing || kind === JsonKind.Null) return undefined;
  return tape.text(node) ?? BAD_DECIMAL;
}

/** The same as canonical plain text, and BAD_DECIMAL for whatever is there and no decimal. */
export function optionalDecimalOf(
  tape: JsonTape,
  object: number,
  name: string,
): string | undefined {
  const text = decimalFieldOf(tape, object, name);
  return text === undefined ? undefined : (decimalText(text) ?? BAD_DECIMAL);
}

/** `epochTimeUs` for a node: a number or its text. */
export function epochTimeUsAt(tape: JsonTape, node: number): number | undefined {
  return tape.isContainer(node) ? BAD_TIME : epochTimeUs(tape.text(node));
}

/** A number that counts messages or updates; undefined if the node is no such number. */
export function sequenceAt(tape: JsonTape, node: number): number | undefined {
  const sequence = tape.number(node);
  return Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : undefined;
}
