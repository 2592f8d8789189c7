import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";
import { acceptsGzip } from "./gzip.ts";

const gzipAsync = promisify(gzip);

type StaticFile = {
  readonly bytes: Uint8Array;
  /** Since somebody first asked for it; without bytes where compression saves nothing. */
  gzip: Promise<Uint8Array | undefined> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
};

/** Where the page finds what only the gateway knows; see clients/dashboard/index.html. */
const SOCKET_PATH_MARK = "%WEB_SOCKET_PATH%";
/** Vite puts a hash of the content into the names of what lies in this folder. */
const HASHED = /^assets\//;
/** Smaller files gain nothing by compression. */
const GZIP_BYTES_MIN = 512;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  json: "application/json",
  webmanifest: "application/manifest+json",
  txt: "text/plain; charset=utf-8",
};

/**
 * The page runs its own scripts and styles and reaches its own gateway, and nothing else. Styles of
 * single elements are set by scripts, which this allows, and never by attributes, which it forbids.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * The files of a built page, held in memory. Each is compressed once, when it is first asked for,
 * because a start has no time for it.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  /** `files` by their paths, `index.html` among them. */
  constructor(
    files: ReadonlyMap<string, Uint8Array>,
    { webSocketPath }: { readonly webSocketPath: string },
  ) {
    const entries = [...files].map(([path, bytes]): [string, StaticFile] => {
      const content = path === "index.html" ? withSocketPath(bytes, webSocketPath) : bytes;
      return [`/${path === "index.html" ? "" : path}`, staticFile(path, content)];
    });
    this.#files = new Map(entries);
  }

  /** The answer to GET and HEAD; undefined if there is no such file. `path` is without a prefix. */
  serve(
    path: string,
    { headers }: Pick<HttpRequest, "headers">,
  ): HttpResponse | Promise<HttpResponse> | undefined {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const known = headers.get("if-none-match")?.split(",") ?? [];
    if (known.some((tag) => tag.trim().replace(/^W\//, "") === file.etag)) {
      return { status: 304, headers: file.headers, body: "" };
    }
    const plain = { status: 200, headers: file.headers, body: file.bytes };
    if (!acceptsGzip(headers.get("accept-encoding"))) return plain;
    file.gzip ??= compressed(file.bytes);
    return file.gzip.then((body) => {
      if (body === undefined) return plain;
      return { status: 200, headers: { ...file.headers, "content-encoding": "gzip" }, body };
    });
  }
}

/** Works on a thread of Node's pool. Undefined where compression saves nothing. */
async function compressed(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (bytes.length < GZIP_BYTES_MIN) return undefined;
  const shorter = await gzipAsync(bytes, { level: 9 });
  return shorter.length < bytes.length ? shorter : undefined;
}

function withSocketPath(html: Uint8Array, webSocketPath: string): Uint8Array {
  const text = Buffer.from(html).toString("utf8");
  return Buffer.from(text.replaceAll(SOCKET_PATH_MARK, escapeAttribute(webSocketPath)));
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

function staticFile(path: string, bytes: Uint8Array): StaticFile {
  const extension = path.slice(path.lastIndexOf(".") + 1);
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return {
    bytes,
    gzip: undefined,
    etag,
    headers: {
      "content-type": CONTENT_TYPES[extension] ?? "application/octet-stream",
      "cache-control": HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      vary: path === "index.html" ? "accept, accept-encoding" : "accept-encoding",
      etag,
    },
  };
}
