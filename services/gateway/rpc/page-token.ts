import { Buffer } from "node:buffer";
import { RpcError } from "./rpc-error.ts";

/** The last instrument of a page: the next page begins behind it, whatever changed in between. */
type PagePlace = { readonly venue: string; readonly symbol: string };

/** As clients get it; they are to make nothing of it. */
export function writePageToken({ venue, symbol }: PagePlace): string {
  return Buffer.from(`${venue}:${symbol}`, "utf8").toString("base64url");
}

/** Undefined for the first page. @throws RpcError `invalid_argument` if it is no token of ours. */
export function readPageToken(token: string): PagePlace | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) throw badPageToken();
  return { venue: text.slice(0, colon), symbol: text.slice(colon + 1) };
}

/** A token that no answer to this request has given. */
export function badPageToken(): RpcError {
  const message = "page_token is not one of this request";
  return new RpcError("invalid_argument", message, { detail: { reason: "BAD_PAGE_TOKEN" } });
}
