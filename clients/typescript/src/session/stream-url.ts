import { ConnectionError } from "../errors.ts";

/** The path of a gateway's WebSocket below its prefix, unless its operator changed it. */
export const WEB_SOCKET_PATH = "/v1/ws";

/**
 * The address of the gateway's WebSocket: http and https become ws and wss, and the path is a
 * prefix, unless it ends with that of the WebSocket. Throws ConnectionError for an address that is
 * none.
 */
export function streamUrl(address: string, webSocketPath: string = WEB_SOCKET_PATH): string {
  let url: URL | undefined;
  let cause: unknown;
  try {
    url = new URL(address);
  } catch (error) {
    cause = error;
  }
  if (url === undefined || !/^(ws|http)s?:$/.test(url.protocol)) {
    const text = `"${address}" is not the address of a gateway, which begins with ws:, wss:, http: or https:`;
    throw new ConnectionError("connect-failed", text, { cause });
  }
  url.protocol = url.protocol.replace("http", "ws");
  const prefix = url.pathname.replace(/\/+$/, "");
  url.pathname = prefix.endsWith(webSocketPath) ? prefix : prefix + webSocketPath;
  url.hash = "";
  return url.href;
}
