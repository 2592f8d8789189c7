import type { Rolldown } from "vite";

/** What a page may import of the client, by what it does with it. */
export declare const CLIENT_PAGES: Readonly<
  Record<
    "every export" | "everything" | "streams only" | "ticks only" | "lite" | "rpc only",
    string
  >
>;

/** The entry of a bundle, with what a page loads at start, the entry first, and what later. */
export type ClientBundle = Rolldown.OutputChunk & {
  readonly chunks: readonly Rolldown.OutputChunk[];
  readonly lateChunks: readonly Rolldown.OutputChunk[];
};

/** Bundles one module's text for browsers, from the sources; it may import the client. */
export declare function bundleForBrowser(source: string): Promise<ClientBundle>;

/** The same as a server has it: every file by its name, the entry under `entry.js` or its own. */
export declare function filesForBrowser(
  source: string,
  entryName?: string,
): Promise<ReadonlyMap<string, string>>;

/** Bytes of files as they are, by gzip at level 9 and by brotli at level 11, each by itself. */
export declare function transferSizes(...texts: readonly string[]): {
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
};

/** Minified bytes that each module has in chunks, largest first, by their source maps. */
export declare function bytesByModule(
  chunks: readonly Rolldown.OutputChunk[],
): readonly { readonly module: string; readonly bytes: number }[];
