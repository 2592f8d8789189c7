/**
 * A number that counts something, such as updates or trades, out of its digits. Undefined if it is
 * none, or so large that a double does not hold it exactly.
 */
export function wholeNumber(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * Reads a venue's clock out of the answer to a request for it, where a field holds it as a number
 * of milliseconds: `parseServerTimeUs` of its adapter.
 */
export function clockIn(field: string): (body: string) => number | undefined {
  const pattern = new RegExp(`"${field}"\\s*:\\s*(\\d{13})\\b`);
  return (body) => {
    const milliseconds = pattern.exec(body)?.[1];
    return milliseconds === undefined ? undefined : Number(milliseconds) * 1000;
  };
}
