import { visibleText } from "#core/visible-text.ts";
import type { ScreenLine, ScreenStyle } from "./top-screen.ts";

const ESCAPE = "\u001b[";
const RESET = `${ESCAPE}0m`;

const STYLES: Readonly<Record<ScreenStyle, string>> = {
  plain: "",
  title: `${ESCAPE}1m`,
  header: `${ESCAPE}7m`,
  bad: `${ESCAPE}31m`,
  dim: `${ESCAPE}2m`,
};

/** A terminal that is drawn on whole. What was on it comes back when it is closed. */
export type FullScreen = {
  readonly columns: number;
  readonly lines: number;
  draw(lines: readonly ScreenLine[]): void;
  /** Idempotent. */
  close(): void;
};

/** Whether both ends of the terminal are there: keys to be read, and a screen to be drawn on. */
export function hasFullScreen(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Takes the terminal. `onKeys` hears what keys send, `onResize` of another size. */
export function openFullScreen(listener: {
  onKeys(sent: string): void;
  onResize(): void;
}): FullScreen {
  const { stdin, stdout, env } = process;
  const hasColours = env["NO_COLOR"] === undefined || env["NO_COLOR"] === "";
  const onData = (data: Buffer | string): void => listener.onKeys(data.toString());
  const onResize = (): void => listener.onResize();
  let isOpen = true;
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on("data", onData);
  stdout.on("resize", onResize);
  // Another page of the terminal, without a cursor.
  stdout.write(`${ESCAPE}?1049h${ESCAPE}?25l`);
  return {
    get columns() {
      return stdout.columns;
    },
    get lines() {
      return stdout.rows;
    },
    draw(lines) {
      if (!isOpen) return;
      const drawn = lines.map(({ text, style }) => drawnLine(visibleText(text), style, hasColours));
      // From the top left; what was on each line is cleared first, and what is below the last.
      const rest = drawn.length < stdout.rows ? `\r\n${ESCAPE}J` : "";
      stdout.write(`${ESCAPE}H${drawn.join("\r\n")}${rest}`);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      stdin.off("data", onData);
      stdout.off("resize", onResize);
      stdin.setRawMode(false);
      stdin.pause();
      stdout.write(`${ESCAPE}?25h${ESCAPE}?1049l`);
    },
  };
}

function drawnLine(text: string, style: ScreenStyle, hasColours: boolean): string {
  const code = hasColours || style !== "bad" ? STYLES[style] : STYLES.title;
  return `${ESCAPE}2K${code}${text}${code === "" ? "" : RESET}`;
}
