/** What the client needs of an answer of HTTP. */
export type ResponseLike = {
  readonly ok: boolean;
  readonly status: number;
  readonly body: {
    getReader(): {
      read(): Promise<{
        readonly done: boolean;
        readonly value?: Uint8Array<ArrayBuffer> | undefined;
      }>;
    };
  } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
};

/** What the client needs of `fetch`. */
export type FetchLike = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body: Uint8Array<ArrayBuffer>;
    readonly cache: "no-store";
    readonly signal: AbortSignal;
  },
) => Promise<ResponseLike>;
