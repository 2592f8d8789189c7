import { quotedText } from "#core/visible-text.ts";
import type { Command } from "commander";
import { UsageError } from "./errors.ts";

/** Where `dev` and `gateway` listen unless told otherwise. */
export const DEFAULT_ADDRESS = "http://127.0.0.1:8080";

const SCHEMES: Readonly<Record<string, { readonly http: string; readonly webSocket: string }>> = {
  "http:": { http: "http:", webSocket: "ws:" },
  "ws:": { http: "http:", webSocket: "ws:" },
  "https:": { http: "https:", webSocket: "wss:" },
  "wss:": { http: "https:", webSocket: "wss:" },
};

/** Where the WebSocket of a gateway is, below its path prefix. */
const WEB_SOCKET_PATH = "/v1/ws";

/** Adds `--url`, of commands that speak to a gateway. */
export function addUrlOption(command: Command): Command {
  return command.option(
    "--url <url>",
    "gateway: an http, https, ws or wss address, with its path prefix if it has one",
    DEFAULT_ADDRESS,
  );
}

/**
 * Base address for HTTP of a gateway named by any of its addresses; no slash at the end. A path is
 * the prefix under which a proxy serves the gateway.
 */
export function httpAddress(text: string): string {
  const { url, scheme } = parseAddress(text);
  const path = url.pathname.replace(/\/+$/, "");
  const prefix = path.endsWith(WEB_SOCKET_PATH) ? path.slice(0, -WEB_SOCKET_PATH.length) : path;
  return `${scheme.http}//${url.host}${prefix}`;
}

/** True if the address names a WebSocket. */
export function isWebSocketAddress(text: string): boolean {
  return /^wss?:/i.test(text);
}

/** The same for its WebSocket; a path that was given stays. */
export function webSocketAddress(text: string): string {
  const { url, scheme } = parseAddress(text);
  return `${scheme.webSocket}//${url.host}${url.pathname === "/" ? "" : url.pathname}`;
}

function parseAddress(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url === undefined ? undefined : SCHEMES[url.protocol];
  if (url === undefined || scheme === undefined || url.host === "") {
    throw new UsageError(
      `${quotedText(text)} is not the address of a gateway; write http://HOST:PORT or ws://HOST:PORT`,
    );
  }
  return { url, scheme };
}
