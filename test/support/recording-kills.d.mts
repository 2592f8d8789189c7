/** What became of one recorder that was killed. */
export type Kill = {
  readonly afterMs: number;
  /** Events that the recorder had said were kept by the disk. */
  readonly flushedEvents: number;
  /** Events that the files have. */
  readonly readEvents: number;
  readonly files: number;
  readonly tornBytes: number;
  readonly damagedBytes: number;
  /** Topics whose sequences have a hole that no gap in the recording explains. */
  readonly brokenTopics: readonly string[];
};

/** Kills recorders of a simulated market at random moments. The program has to be built. */
export function killRecorders(options: {
  readonly kills: number;
  readonly seed: number;
  /** How many live at a time; one after the other if absent. */
  readonly parallel?: number;
  readonly onKill?: (kill: Kill, index: number) => void;
}): Promise<readonly Kill[]>;
