import { WATCH_PANELS, type WatchPanel } from "./watch-screen.ts";

/** What the keys of `tickwire watch` have led to. */
type WatchInput = {
  readonly selected: number;
  readonly front: WatchPanel;
  /** Levels a side that are asked for. */
  readonly depth: number;
  readonly isPaused: boolean;
};

/** Depths that gateways offer and that a terminal may have room for. */
const WATCH_DEPTHS = [5, 10, 20, 50, 100] as const;

/** Before the first key. */
export const WATCH_INPUT: WatchInput = {
  selected: 0,
  front: "markets",
  depth: 20,
  isPaused: false,
};

const PAGE_ROWS = 10;

/** What one key does, as the terminal sends it; undefined if it quits. Others do nothing. */
export function pressWatchKey(
  input: WatchInput,
  key: string,
  rows: number,
): WatchInput | undefined {
  const move = (by: number): WatchInput => ({
    ...input,
    selected: Math.max(0, Math.min(rows - 1, input.selected + by)),
  });
  switch (key) {
    case "q":
    case "\u0003":
      return undefined;
    case "\u001b[A":
    case "k":
      return move(-1);
    case "\u001b[B":
    case "j":
      return move(1);
    case "\u001b[5~":
      return move(-PAGE_ROWS);
    case "\u001b[6~":
      return move(PAGE_ROWS);
    case "\u001b[H":
      return move(-rows);
    case "\u001b[F":
      return move(rows);
    case "\t": {
      const next = (WATCH_PANELS.indexOf(input.front) + 1) % WATCH_PANELS.length;
      return { ...input, front: WATCH_PANELS[next] ?? input.front };
    }
    case "+":
    case "=":
      return { ...input, depth: nextDepth(input.depth, 1) };
    case "-":
      return { ...input, depth: nextDepth(input.depth, -1) };
    case " ":
      return { ...input, isPaused: !input.isPaused };
    default:
      return input;
  }
}

function nextDepth(depth: number, by: 1 | -1): number {
  const index = WATCH_DEPTHS.findIndex((each) => each >= depth);
  const next = (index === -1 ? WATCH_DEPTHS.length - 1 : index) + by;
  return WATCH_DEPTHS[Math.max(0, Math.min(WATCH_DEPTHS.length - 1, next))] ?? depth;
}
