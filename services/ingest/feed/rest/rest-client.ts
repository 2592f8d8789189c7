import type { RestRequest, RestResponse } from "../feed-adapter.ts";

/** A REST answer of any status, with the venue's wish for a pause where it has one. */
export type RestAnswer = RestResponse & { readonly retryAfterMs?: number };

/** Makes REST requests. Exactly one of the two callbacks is called, later and once. */
export type RestClient = {
  get(
    request: RestRequest,
    onResponse: (response: RestAnswer) => void,
    onError: (reason: string) => void,
  ): void;
  /** Ends what is under way; its `onError` is called with `closed`. Idempotent. */
  close?(): void;
};
