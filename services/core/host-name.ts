/** A host with its port as they stand in a URL; IPv6 addresses are without their brackets. */
type HostPort = { readonly host: string; readonly port: string };

/** Splits `HOST` or `HOST:PORT`, in lower case. Undefined if the text is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+?)\.?)(?::(\d{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? undefined : { host: host.toLowerCase(), port: match?.[3] ?? "" };
}

/** Whether a host stands for this machine alone: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name) && isAddressHost(name);
}

/** Whether a host is an IP address rather than a name. */
function isAddressHost(host: string): boolean {
  if (host.includes(":")) return true;
  const octets = host.split(".");
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && +octet < 256);
}

/** Whether a server that listens on this host listens on every address of its machine. */
function isWildcardHost(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "*";
}

/**
 * Tells whether requests are meant for a server by the Host that they name. A web page whose name
 * was pointed at our address (DNS rebinding) names its own host, which is none of ours.
 */
export class OwnHosts {
  readonly #hosts: ReadonlySet<string>;
  readonly #takesAny: boolean;
  readonly #takesAddresses: boolean;

  /** `listens` is the host that the server listens on; `more` are other names; `*` takes any. */
  constructor(listens: string, more: readonly string[]) {
    this.#hosts = new Set([listens, ...more].map((host) => host.toLowerCase()));
    this.#takesAny = more.includes("*");
    // Which addresses a server has that listens on all of them is not known. A rebound name is
    // never an address, so an address is safe to take.
    this.#takesAddresses = isWildcardHost(listens);
  }

  /** `header` is the value of Host, with a port or without. */
  has(header: string | undefined): boolean {
    if (this.#takesAny) return true;
    const named = header === undefined ? undefined : parseHostPort(header);
    if (named === undefined) return false;
    const { host } = named;
    if (isLoopbackHost(host) || this.#hosts.has(host)) return true;
    return this.#takesAddresses && isAddressHost(host);
  }
}
