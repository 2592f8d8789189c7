import { InvalidArgumentError } from "commander";

/** The longest time that an option may give: a year. */
const SECONDS_MAX = 31_536_000;

/** A whole number from 0. Throws commander's error, which names the option. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError("It must be a whole number.");
  }
  return count;
}

/** A number of seconds above 0. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= SECONDS_MAX)) {
    throw new InvalidArgumentError("It must be a number of seconds.");
  }
  return seconds;
}

/** How many times real speed, or as fast as possible. */
export function parseSpeed(text: string): number | "max" {
  if (text === "max") return "max";
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1_000_000)) {
    throw new InvalidArgumentError("It must be a number above 0, or max.");
  }
  return speed;
}
