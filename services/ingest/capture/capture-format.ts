/**
 * One line of a capture: newline-delimited JSON, usually gzipped. The first line is the header;
 * every other line has the time on the recording host's clock, in microseconds since 1970.
 */
export type CaptureLine =
  | { readonly kind: "header"; readonly venue: string; readonly source: string }
  | CaptureRecord
  /** A line that could not be read; the reader reports it and goes on. */
  | { readonly kind: "damaged"; readonly reason: string };

export type CaptureRecord =
  | {
      readonly kind: "open";
      readonly atUs: number;
      readonly connection: number;
      readonly url: string;
    }
  | {
      readonly kind: "sent";
      readonly atUs: number;
      readonly connection: number;
      readonly text: string;
    }
  | {
      readonly kind: "received";
      readonly atUs: number;
      readonly connection: number;
      /** Text frames as string, binary frames as bytes. */
      readonly frame: string | Uint8Array;
    }
  | {
      readonly kind: "http";
      readonly atUs: number;
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly body: string;
    }
  | {
      readonly kind: "close";
      readonly atUs: number;
      readonly connection: number;
      readonly code: number;
    };

/** The version of the format in the header's `capture` field. */
const CAPTURE_VERSION = 1;

/** Reads one line. Never throws: what it cannot read comes back as `damaged` with the reason. */
export function parseCaptureLine(line: string): CaptureLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return damaged("not JSON");
  }
  if (typeof value !== "object" || value === null) return damaged("not an object");
  const fields = value as Readonly<Record<string, unknown>>;
  const kind = fields["kind"];
  if (kind === "received") return parseReceived(fields);
  if (kind === undefined && fields["capture"] !== undefined) return parseHeader(fields);
  return parseOther(kind, fields);
}

function parseReceived(fields: Readonly<Record<string, unknown>>): CaptureLine {
  const atUs = fields["at"];
  const connection = fields["connection"];
  if (!isTime(atUs) || !isTime(connection)) return damaged("no time or connection");
  const text = fields["text"];
  if (typeof text === "string") return { kind: "received", atUs, connection, frame: text };
  const base64 = fields["base64"];
  if (typeof base64 !== "string") return damaged("neither text nor base64");
  return { kind: "received", atUs, connection, frame: Buffer.from(base64, "base64") };
}

function parseHeader(fields: Readonly<Record<string, unknown>>): CaptureLine {
  if (fields["capture"] !== CAPTURE_VERSION) {
    return damaged(`capture version ${String(fields["capture"])} is not ${CAPTURE_VERSION}`);
  }
  const { venue, source } = fields;
  if (typeof venue !== "string") return damaged("header without venue");
  return { kind: "header", venue, source: typeof source === "string" ? source : "" };
}

function parseOther(kind: unknown, fields: Readonly<Record<string, unknown>>): CaptureLine {
  const { at: atUs, connection, url, text, code, method, status, body } = fields;
  if (!isTime(atUs)) return damaged("no time");
  switch (kind) {
    case "open":
      if (!isTime(connection) || typeof url !== "string") return damaged("open without url");
      return { kind, atUs, connection, url };
    case "sent":
      if (!isTime(connection) || typeof text !== "string") return damaged("sent without text");
      return { kind, atUs, connection, text };
    case "close":
      if (!isTime(connection)) return damaged("close without connection");
      return { kind, atUs, connection, code: isTime(code) ? code : 1006 };
    case "http":
      if (typeof url !== "string" || typeof body !== "string" || !isTime(status)) {
        return damaged("http without url, status or body");
      }
      return { kind, atUs, method: typeof method === "string" ? method : "GET", url, status, body };
    default:
      return damaged("unknown kind");
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function damaged(reason: string): CaptureLine {
  return { kind: "damaged", reason };
}

/** The header line, with its newline. */
export function formatCaptureHeader(header: { venue: string; source: string }): string {
  const { venue, source } = header;
  return `${JSON.stringify({ capture: CAPTURE_VERSION, venue, source })}\n`;
}

/** One line, with its newline. The exact inverse of `parseCaptureLine`. */
export function formatCaptureRecord(record: CaptureRecord): string {
  const { kind, atUs: at } = record;
  switch (kind) {
    case "open": {
      const { connection, url } = record;
      return `${JSON.stringify({ at, kind, connection, url })}\n`;
    }
    case "sent": {
      const { connection, text } = record;
      return `${JSON.stringify({ at, kind, connection, text })}\n`;
    }
    case "received": {
      const { connection, frame } = record;
      if (typeof frame === "string") {
        return `${JSON.stringify({ at, kind, connection, text: frame })}\n`;
      }
      const base64 = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString(
        "base64",
      );
      return `${JSON.stringify({ at, kind, connection, base64 })}\n`;
    }
    case "http": {
      const { method, url, status, body } = record;
      return `${JSON.stringify({ at, kind, method, url, status, body })}\n`;
    }
    case "close": {
      const { connection, code } = record;
      return `${JSON.stringify({ at, kind, connection, code })}\n`;
    }
  }
}
