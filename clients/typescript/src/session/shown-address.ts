/** What of an address may stand in a log: neither its user nor its query, which may be secrets. */
export function shownAddress(address: string): string {
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname}`;
}
