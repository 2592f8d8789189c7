import { spawn } from "node:child_process";

/** The program of each system that opens an address as the user likes it. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};
const OPENER_ELSEWHERE = ["xdg-open"] as const;

/** Opens an address of our own in the user's browser; says so where there is no way to. */
export function openBrowser(url: string, tell: (line: string) => void): void {
  const [program, ...args] = OPENERS[process.platform] ?? OPENER_ELSEWHERE;
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  child.once("error", (error) => {
    tell(`no browser could be opened (${error.message}); open ${url} yourself`);
  });
  // The browser stays when this process ends, and does not keep it.
  child.unref();
}
