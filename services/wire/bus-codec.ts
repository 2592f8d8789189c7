import { AnnouncementCodec, CatalogReplyCodec, QueryReplyCodec } from "@tickwire/proto/messages";
import type {
  Announcement,
  CatalogReply,
  Code,
  MessageInit,
  QueryReply,
} from "@tickwire/proto/messages";

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodeAnnouncement(announcement: MessageInit<Announcement>): Uint8Array {
  return AnnouncementCodec.encode(announcement);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeAnnouncement(bytes: Uint8Array): Announcement {
  return AnnouncementCodec.decode(bytes);
}

/** The caller owns the result. Throws WireError if a value does not fit its field. */
export function encodeCatalogReply(reply: MessageInit<CatalogReply>): Uint8Array {
  return CatalogReplyCodec.encode(reply);
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeCatalogReply(bytes: Uint8Array): CatalogReply {
  return CatalogReplyCodec.decode(bytes);
}

/** The answer to a query that succeeded; `payload` is copied. The caller owns the result. */
export function encodeQueryReply(payload: Uint8Array): Uint8Array {
  return QueryReplyCodec.encode({ payload });
}

/** The answer to a query that failed. `message` reaches clients. */
export function encodeQueryError(error: {
  readonly code: Code;
  readonly message: string;
}): Uint8Array {
  return QueryReplyCodec.encode({ error });
}

/** Keeps nothing of `bytes`. Throws WireError. */
export function decodeQueryReply(bytes: Uint8Array): QueryReply {
  return QueryReplyCodec.decode(bytes);
}
