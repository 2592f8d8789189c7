import { lookup, type LookupAddress } from "node:dns";
import { request as requestPlain } from "node:http";
import { request as requestEncrypted } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { createAddressGuard, type AddressGuard } from "./address-guard.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Outcome, Post } from "./sender.ts";
import { signatureHeaders, type SigningKey } from "./signature.ts";

type PostOptions = {
  readonly url: string;
  readonly keys: readonly SigningKey[];
  /** Addresses that are reached although they are not public. */
  readonly allowedAddresses: readonly string[];
  readonly timeoutMs: number;
};

/**
 * What posts to an address. It follows no redirection, since a receiver could point it to where it
 * could not point it otherwise. Throws an Error if the address is none.
 */
export function createPost(options: PostOptions): Post {
  const url = new URL(options.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new Error("a webhook has an address with https: or http:");
  }
  if (url.username !== "" || url.password !== "") {
    throw new Error("a webhook's address has no user and no password: it ends up in logs");
  }
  const isEncrypted = url.protocol === "https:";
  const guard = createAddressGuard({ allowed: options.allowedAddresses, isEncrypted });
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  // A host that is an address is never looked up, so it is judged here.
  const refusal = isIP(literal) === 0 ? undefined : guard(literal);
  if (refusal !== undefined) throw new Error(refusal);
  const lookupGuarded = createGuardedLookup(guard);
  const request = isEncrypted ? requestEncrypted : requestPlain;

  return (message, nowMs) =>
    new Promise<Outcome>((resolve) => {
      const timestamp = Math.floor(nowMs / 1_000);
      const headers = {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(message.body)),
        "user-agent": "tickwire-example-arbitrage-alerts",
        ...signatureHeaders({ ...message, timestamp }, options.keys),
      };
      const signal = AbortSignal.timeout(options.timeoutMs);
      const sent = request(url, { method: "POST", headers, lookup: lookupGuarded, signal });
      sent.on("response", (response) => {
        const status = response.statusCode ?? 0;
        response.on("error", () => undefined).resume();
        resolve(outcomeOf(status, response.headers["retry-after"], nowMs));
      });
      sent.on("error", (error) => {
        const reason = signal.aborted ? `no answer in ${options.timeoutMs} ms` : error.message;
        resolve({ kind: "failed", reason });
      });
      sent.end(message.body);
    });
}

function outcomeOf(status: number, retryAfter: string | undefined, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone", reason: "status 410" };
  const waitMs = retryAfter === undefined ? undefined : retryAfterMs(retryAfter, nowMs);
  return { kind: "failed", reason: `status ${status}`, retryAfterMs: waitMs };
}

/**
 * Looks a name up and judges what it leads to. The connection goes to the very addresses that were
 * judged: a second look-up could give others.
 */
function createGuardedLookup(guard: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const refusal = firstRefusal(addresses, guard);
      if (refusal !== undefined) return callback(new Error(`${hostname}: ${refusal}`), []);
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? "", first?.family);
    });
  };
}

function firstRefusal(
  addresses: readonly LookupAddress[],
  guard: AddressGuard,
): string | undefined {
  if (addresses.length === 0) return "has no address";
  return addresses.map(({ address }) => guard(address)).find((refusal) => refusal !== undefined);
}
