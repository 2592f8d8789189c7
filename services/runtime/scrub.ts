/** Field names whose values are never written down. */
const SECRET_NAME =
  /(authorization|cookie|credential|passw(or)?d|passphrase|private_?key|api_?key|secret|token|jwt|nkey)/i;

const REDACTED = "[redacted]";

/** Values that are nested deeper than this are left out. */
const DEPTH_MAX = 6;

const ADDRESS = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>]+)/gi;

/**
 * Text fit for a log: addresses keep scheme, host and path, and lose user, password, query and
 * fragment; bearer tokens are cut out.
 */
export function scrubText(text: string): string {
  return text
    .replace(ADDRESS, (_, scheme: string, rest: string) => `${scheme}${scrubAddress(rest)}`)
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${REDACTED}`);
}

/**
 * A copy of log fields without secrets, by field name and by `scrubText`. Errors become plain
 * objects.
 */
export function scrubFields(fields: object): Record<string, unknown> {
  const scrubbed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    scrubbed[name] = SECRET_NAME.test(name) ? REDACTED : scrubValue(value, 1);
  }
  return scrubbed;
}

function scrubValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrubText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return "[deep]";
  if (value instanceof Error) return scrubError(value, depth);
  if (value instanceof URL) return scrubText(value.href);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_NAME.test(name) ? REDACTED : scrubValue(item, depth + 1),
    ]),
  );
}

function scrubError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = "code" in error ? error.code : undefined;
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: scrubText(error.message),
    stack: error.stack === undefined ? undefined : scrubText(error.stack),
    ...(error.cause === undefined ? {} : { cause: scrubValue(error.cause, depth + 1) }),
  };
}

function scrubAddress(rest: string): string {
  const pathStart = rest.search(/[/?#]/);
  const authority = pathStart === -1 ? rest : rest.slice(0, pathStart);
  const path = pathStart === -1 ? "" : rest.slice(pathStart).replace(/[?#].*$/, "");
  return authority.slice(authority.lastIndexOf("@") + 1) + path;
}
