import { visibleText } from "#core/visible-text.ts";
import { printsColours } from "./terminal.ts";

/** How a part of the screen looks. */
export type ScreenStyle = "plain" | "title" | "header" | "good" | "bad" | "warn" | "dim";
export type ScreenPart = { readonly text: string; readonly style: ScreenStyle };
/** A line of the screen, in parts from left to right. */
export type ScreenLine = { readonly parts: readonly ScreenPart[] };

const ESCAPE = "\u001b[";
const RESET = `${ESCAPE}0m`;

const STYLES: Readonly<Record<ScreenStyle, string>> = {
  plain: "",
  title: `${ESCAPE}1m`,
  header: `${ESCAPE}7m`,
  good: `${ESCAPE}32m`,
  bad: `${ESCAPE}31m`,
  warn: `${ESCAPE}33m`,
  dim: `${ESCAPE}2m`,
};
/** What is no colour, and stays where none are wanted. */
const WITHOUT_COLOUR: Readonly<Record<ScreenStyle, string>> = {
  ...STYLES,
  good: "",
  bad: STYLES.title,
  warn: STYLES.title,
};

/** A terminal that is drawn on whole. What was on it comes back when it is closed. */
export type FullScreen = {
  readonly columns: number;
  readonly lines: number;
  draw(lines: readonly ScreenLine[]): void;
  /** Idempotent. */
  close(): void;
};

/**
 * Whether both ends of the terminal are there: keys to be read, and a screen to be drawn on, which
 * one that calls itself dumb has not.
 */
export function hasFullScreen(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb";
}

/** Takes the terminal. `onKeys` hears what keys send, `onResize` of another size. */
export function openFullScreen(listener: {
  onKeys(sent: string): void;
  onResize(): void;
}): FullScreen {
  const { stdin, stdout } = process;
  const styles = printsColours() ? STYLES : WITHOUT_COLOUR;
  const onData = (data: Buffer | string): void => listener.onKeys(data.toString());
  const onResize = (): void => listener.onResize();
  let isOpen = true;
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on("data", onData);
  stdout.on("resize", onResize);
  // Another page of the terminal, without a cursor.
  stdout.write(`${ESCAPE}?1049h${ESCAPE}?25l`);
  const screen: FullScreen = {
    get columns() {
      return stdout.columns;
    },
    get lines() {
      return stdout.rows;
    },
    draw(lines) {
      if (!isOpen) return;
      const drawn = lines.map((line) => drawnLine(line, styles));
      // From the top left; what was on each line is cleared first, and what is below the last.
      const rest = drawn.length < stdout.rows ? `\r\n${ESCAPE}J` : "";
      stdout.write(`${ESCAPE}H${drawn.join("\r\n")}${rest}`);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      stdin.off("data", onData);
      stdout.off("resize", onResize);
      process.off("exit", onEnd);
      process.off("uncaughtExceptionMonitor", onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      stdout.write(`${ESCAPE}?25h${ESCAPE}?1049l`);
    },
  };
  // However the process ends, the terminal is as it was, and what is said last can be read.
  const onEnd = (): void => screen.close();
  process.once("exit", onEnd);
  process.once("uncaughtExceptionMonitor", onEnd);
  return screen;
}

function drawnLine({ parts }: ScreenLine, styles: Readonly<Record<ScreenStyle, string>>): string {
  const texts = parts.map(({ text, style }) => {
    const [code, visible] = [styles[style], visibleText(text)];
    return code === "" || visible === "" ? visible : `${code}${visible}${RESET}`;
  });
  return `${ESCAPE}2K${texts.join("")}`;
}
