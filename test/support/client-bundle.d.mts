import type { Rolldown } from "vite";

/** What a page may import of the client, by what it does with it. */
export declare const CLIENT_PAGES: Readonly<
  Record<"everything" | "streams only" | "ticks only" | "rpc only", string>
>;

/** Bundles one module's text for browsers, from the sources; it may import the client. */
export declare function bundleForBrowser(source: string): Promise<Rolldown.OutputChunk>;

/** The same as a server has it: every file by its name, the entry as `entry.js`. */
export declare function filesForBrowser(source: string): Promise<ReadonlyMap<string, string>>;

/** Bytes of a text as it is, by gzip at level 9 and by brotli at level 11. */
export declare function transferSizes(text: string): {
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
};

/** Minified bytes that each module has in a bundle, largest first, by its source map. */
export declare function bytesByModule(
  chunk: Rolldown.OutputChunk,
): readonly { readonly module: string; readonly bytes: number }[];
