/**
 * Adds one header line of a request. The values of a repeated header are joined with commas (RFC
 * 9110, section 5.3), those of a cookie with semicolons (RFC 9113, section 8.2.3), so that a check
 * of a header sees every value that came.
 */
export function addHeader(headers: Map<string, string>, name: string, value: string): void {
  const earlier = headers.get(name);
  const separator = name === "cookie" ? "; " : ", ";
  headers.set(name, earlier === undefined ? value : earlier + separator + value);
}
