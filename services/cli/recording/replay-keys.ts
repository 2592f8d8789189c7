import type { ReplayPlayer } from "#recording/replay/replay-player.ts";

/** How far the arrows go. */
const SEEK_US = 10_000_000;

/** What can be pressed while a replay runs, for whoever looks at the terminal. */
export const REPLAY_KEYS =
  "space pauses, . steps, + and - change the speed, left and right go 10 s, 0 to the start, l loops, q ends";

/** Does what was pressed; true if the replay is to end. */
export function pressKey(player: ReplayPlayer, sent: string): boolean {
  const { state, speed, loop, positionTimeUs, fromTimeUs } = player.status;
  switch (sent) {
    case " ":
      if (state === "paused") player.resume();
      else player.pause();
      return false;
    case ".":
      player.step();
      return false;
    case "+":
      player.setSpeed(speed === "max" ? speed : speed * 2);
      return false;
    case "-":
      // Nothing is half of as fast as possible.
      player.setSpeed(speed === "max" ? 1 : speed / 2);
      return false;
    case "\u001b[C":
      player.seek(positionTimeUs + SEEK_US);
      return false;
    case "\u001b[D":
      player.seek(positionTimeUs - SEEK_US);
      return false;
    case "0":
      player.seek(fromTimeUs);
      return false;
    case "l":
      player.setLoop(!loop);
      return false;
    case "q":
    case "\u0003":
    case "\u0004":
      return true;
    default:
      return false;
  }
}
