import { Turns } from "#gateway/turns/turns.ts";
import type { TurnLine } from "#gateway/turns/turns.ts";

/** A line whose turns are never over: its work is done at once. */
export function idleLine(): TurnLine {
  const clock = { nowUs: () => 0, monotonicUs: () => 0, after: () => () => {} };
  return new Turns({ clock, scheduler: { endOfTurn: () => {} } }).open();
}
