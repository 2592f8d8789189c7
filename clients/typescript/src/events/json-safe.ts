import type { Mantissa } from "@tickwire/proto/model";

/**
 * The same object. If one of its mantissas is beyond 2^53, and so a bigint, JSON.stringify shows
 * those as text, where it would refuse them. That takes a method, which no copy takes along.
 */
export function jsonSafe<T extends object>(event: T, ...mantissas: readonly Mantissa[]): T {
  if (!mantissas.some((mantissa) => typeof mantissa === "bigint")) return event;
  return Object.defineProperty(event, "toJSON", {
    value: () =>
      Object.fromEntries(
        Object.entries(event).map(([name, value]) => [
          name,
          typeof value === "bigint" ? String(value) : (value as unknown),
        ]),
      ),
  });
}
