/** Schemes of proxies. With `socks5h` and `socks4a` the proxy looks the venue's name up. */
export const PROXY_SCHEMES = ["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"];

/** In place of a proxy's URL: none, whatever the environment says. */
export const NO_PROXY = "direct";

/** Whether the text is the URL of a proxy, of a kind that can be used. */
export function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return PROXY_SCHEMES.includes(protocol.slice(0, -1)) && hostname !== "";
}
