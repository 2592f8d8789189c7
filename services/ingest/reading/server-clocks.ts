import { isRecord, parseJson } from "./text-fields.ts";

/**
 * Reads a venue's clock out of the answer to a request for it: `parseServerTimeUs` of its adapter.
 * `keys` lead through the objects of the answer to the time, which `timeUsOf` reads.
 */
export function clockAt(
  keys: readonly string[],
  timeUsOf: (value: unknown) => number | undefined,
): (body: string) => number | undefined {
  return (body) => {
    let value = parseJson(body);
    for (const key of keys) value = isRecord(value) ? value[key] : undefined;
    const timeUs = timeUsOf(value);
    return timeUs !== undefined && Number.isSafeInteger(timeUs) ? timeUs : undefined;
  };
}

/** The same where the time is a number of milliseconds, in the only field of this name. */
export function clockIn(field: string): (body: string) => number | undefined {
  const pattern = new RegExp(`"${field}"\\s*:\\s*(\\d{13})\\b`);
  return (body) => {
    const milliseconds = pattern.exec(body)?.[1];
    return milliseconds === undefined ? undefined : Number(milliseconds) * 1000;
  };
}
