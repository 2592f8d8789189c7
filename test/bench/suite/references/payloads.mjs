/** Bytes that are as long as so many ticks, made once for each number of them. */
export function payloads(bytesPerTick) {
  const made = new Map();
  return (ticks) => {
    const known = made.get(ticks);
    if (known !== undefined) return known;
    const bytes = Buffer.alloc(Math.max(1, Math.round(ticks * bytesPerTick)), 0x5a);
    made.set(ticks, bytes);
    return bytes;
  };
}
