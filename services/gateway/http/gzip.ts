import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { RpcError } from "../rpc/rpc-error.ts";

const gunzipAsync = promisify(gunzip);
const gzipAsync = promisify(gzip);

/**
 * Inflates a message that a client has sent. Never makes more than `bytesMax` bytes, however small
 * the input is. The work is done by a thread of Node's pool, so that other clients need not wait.
 * Rejects with RpcError.
 */
export async function inflateMessage(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLarge("the inflated message", bytesMax);
    }
    throw new RpcError("invalid_argument", "the message is not gzip", { cause: error });
  }
}

/** Deflates a message for a client that takes gzip, on a thread of Node's pool. */
export function deflateMessage(bytes: Uint8Array | string): Promise<Uint8Array> {
  return gzipAsync(bytes);
}

/** What a message above the limit is refused with. */
export function tooLarge(what: string, bytesMax: number): RpcError {
  return new RpcError("resource_exhausted", `${what} exceeds requestBytesMax ${bytesMax}`);
}

/** Whether a list of encodings, such as `gzip, br;q=0.5`, has gzip in it. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(",").some((element) => {
    const [name = "", ...parameters] = element.split(";");
    const refused = parameters.some((parameter) => /^\s*q=0(?:\.0{0,3})?\s*$/i.test(parameter));
    return name.trim().toLowerCase() === "gzip" && !refused;
  });
}
