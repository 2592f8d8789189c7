const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/**
 * The lengths in milliseconds of the intervals that a venue has. Each name is a count and a unit:
 * minutes (`m`), hours (`h`), days (`d` or `D`) or weeks (`w` or `W`). Months differ in length.
 */
export function intervalsNamed(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name) => [name, lengthOf(name)]));
}

function lengthOf(name: string): number {
  const [, count, unit = ""] = /^(\d+)([mhdDwW])$/.exec(name) ?? [];
  const unitMs = UNITS_MS.get(unit.toLowerCase());
  if (unitMs === undefined) throw new Error(`${name} is no interval of a fixed length`);
  return Number(count) * unitMs;
}
