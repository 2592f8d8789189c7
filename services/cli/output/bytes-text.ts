/** `12.3 MB`; a byte is never shown in parts. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, "B"];
  for (const next of ["KB", "MB", "GB", "TB"]) {
    if (value < 1_000) break;
    [value, unit] = [value / 1_000, next];
  }
  return `${unit === "B" ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
