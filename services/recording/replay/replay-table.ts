/** What a replay does now. `ended`: the last entry of its range was played. */
export type ReplayState = "playing" | "paused" | "ended" | "closed";

/** What happens to it. */
export type ReplayInput = "pause" | "resume" | "step" | "seek" | "last-entry" | "close";

/**
 * Every state by every input. Who steps or pauses while it plays has it paused from there on; a
 * seek leaves a pause as it is and begins again what had ended.
 *
 * 1. Nothing is played in `paused` but what was stepped: `ReplayPlayer` asks before each entry.
 * 2. Nothing leaves `closed`: the row says so, and the table test.
 * 3. Every state but `closed` can be left by what its user may do: the table test.
 */
export const REPLAY_TABLE: Readonly<
  Record<ReplayState, Readonly<Record<ReplayInput, ReplayState>>>
> = {
  playing: {
    pause: "paused",
    resume: "playing",
    step: "paused",
    seek: "playing",
    "last-entry": "ended",
    close: "closed",
  },
  paused: {
    pause: "paused",
    resume: "playing",
    step: "paused",
    seek: "paused",
    "last-entry": "ended",
    close: "closed",
  },
  ended: {
    pause: "ended",
    resume: "ended",
    step: "ended",
    seek: "playing",
    "last-entry": "ended",
    close: "closed",
  },
  closed: {
    pause: "closed",
    resume: "closed",
    step: "closed",
    seek: "closed",
    "last-entry": "closed",
    close: "closed",
  },
};
