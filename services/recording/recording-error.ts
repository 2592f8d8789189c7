type RecordingErrorCode =
  /** There is no room where the recording goes. */
  | "disk-full"
  /** It cannot be written, for another reason. */
  | "cannot-write"
  /** There is no recording at this place. */
  | "no-recording"
  /** This Node cannot read it. */
  | "unreadable";

/** The place of a recording cannot be used. `code` says why; `cause` is the operating system's. */
export class RecordingError extends Error {
  readonly code: RecordingErrorCode;

  constructor(code: RecordingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RecordingError";
    this.code = code;
  }
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What went wrong in writing. */
export function writeError(error: unknown): RecordingError {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return FULL.has(code)
    ? new RecordingError("disk-full", `there is no room for the recording: ${reason}`, {
        cause: error,
      })
    : new RecordingError("cannot-write", `the recording cannot be written: ${reason}`, {
        cause: error,
      });
}
