/** What the client needs of an answer of HTTP. */
export type ResponseLike = {
  /** The status is one of success. */
  readonly ok: boolean;
  /** As HTTP has it. */
  readonly status: number;
  /** What streams in; null if there is nothing. */
  readonly body: {
    getReader(): {
      read(): Promise<{
        readonly done: boolean;
        readonly value?: Uint8Array<ArrayBuffer> | undefined;
      }>;
    };
  } | null;
  /** All of its bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** All of its text. */
  text(): Promise<string>;
};

/** What the client needs of `fetch`. */
export type FetchLike = (
  url: string,
  init: {
    /** `POST`. */
    readonly method: string;
    /** By their names. */
    readonly headers: Record<string, string>;
    /** Frames for the gateway. */
    readonly body: Uint8Array<ArrayBuffer>;
    /** Answers are never kept. */
    readonly cache: "no-store";
    /** Ends the request. */
    readonly signal: AbortSignal;
  },
) => Promise<ResponseLike>;
