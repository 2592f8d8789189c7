import type { CaptureRecord } from "#ingest/capture/capture-format.ts";

/** Names of recordings that are made, by their venue. */
export const DOCUMENTED: ReadonlyMap<string, string>;

/** Traffic of a venue, made from the documented format of its messages, for one of these names. */
export function makeDocumented(name: string): { readonly lines: readonly CaptureRecord[] };
