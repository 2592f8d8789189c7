import { BlockList, isIP, SocketAddress } from "node:net";
import type { PeerCertificate } from "../access/credentials.ts";
import type { ProxyHeader, ProxyOptions, RequestHeaders } from "./transport.ts";

/** No sensible chain of proxies is longer; what is further away in a header is not looked at. */
const HOPS_MAX = 16;

/** An element of Forwarded that is longer than any that names an address is not read. */
const ELEMENT_CHARACTERS_MAX = 512;

type Network = { readonly address: string; readonly prefixBits: number };

/** Whether a text is an IP address or a network in CIDR notation, such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/** Tells who a request comes from, believing only the configured proxies. */
export class PeerAddresses {
  readonly #trusted = new BlockList();
  readonly #header: ProxyHeader;
  readonly #certificateHeader: string | undefined;
  readonly #trustsNobody: boolean;

  /** @throws RangeError if an entry of `trustedProxies` is neither an address nor a network. */
  constructor({ trustedProxies, proxyHeader, certificateHeader }: ProxyOptions) {
    this.#header = proxyHeader;
    this.#certificateHeader = certificateHeader;
    this.#trustsNobody = trustedProxies.length === 0;
    for (const text of trustedProxies) {
      const network = parseNetwork(text);
      if (network === undefined) {
        throw new RangeError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
      }
      const { address, prefixBits } = network;
      this.#trusted.addSubnet(address, prefixBits, familyOf(address));
    }
  }

  /**
   * The address of the client that a request comes from. Each proxy appends the address of its own
   * peer, so the list is read from its end, and only as far as trusted proxies wrote it: the first
   * address that is not one of theirs is the client's. What cannot be read (`unknown`, a hidden
   * name, rubbish) ends the walk at the last address that is known.
   */
  clientOf(socketAddress: string, headers: RequestHeaders): string {
    let address = canonicalAddress(socketAddress) ?? socketAddress;
    if (this.#trustsNobody || !this.#trusts(address)) return address;
    const hops = readHops(headers.get(this.#header) ?? "", this.#header);
    for (let index = hops.length - 1; index >= 0; index -= 1) {
      const named = parseHop(hops[index] ?? "");
      if (named === undefined) return address;
      address = named;
      if (!this.#trusts(address)) return address;
    }
    return address;
  }

  /**
   * What a trusted proxy says about the certificate of its client; undefined if it says nothing.
   * The header of anybody else means nothing.
   */
  certificateOf(socketAddress: string, headers: RequestHeaders): PeerCertificate | undefined {
    if (this.#certificateHeader === undefined || this.ownerOf(socketAddress) !== undefined) {
      return undefined;
    }
    const subject = headers.get(this.#certificateHeader)?.trim() ?? "";
    return subject === "" ? undefined : { names: [subject] };
  }

  /** The address that a socket counts for; undefined for a trusted proxy's, which is nobody's. */
  ownerOf(socketAddress: string): string | undefined {
    const address = canonicalAddress(socketAddress) ?? socketAddress;
    return !this.#trustsNobody && this.#trusts(address) ? undefined : address;
  }

  #trusts(address: string): boolean {
    return isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }
}

/**
 * An address as everything else in the gateway writes it: shortest form, an IPv4 address inside
 * IPv6 as IPv4, no zone. Undefined if the text is not an address.
 */
export function canonicalAddress(text: string): string | undefined {
  const [address = ""] = text.split("%", 1);
  const version = isIP(address);
  // Of an IPv4 address there is one form, and most are.
  if (version !== 6) return version === 4 ? address : undefined;
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical);
  return mapped?.[1] ?? canonical;
}

/** The addresses of a header as they stand there, the nearest hop last; at most HOPS_MAX. */
function readHops(value: string, header: ProxyHeader): string[] {
  if (header === "x-forwarded-for") return readElements(value.split(","));
  return readElements(splitQuoted(value)).map(readForPair);
}

function readElements(elements: readonly string[]): string[] {
  return elements
    .map((element) => element.trim())
    .filter((element) => element !== "")
    .slice(-HOPS_MAX);
}

/** The `for` of a list of pairs such as `for="[2001:db8::1]:4711";proto=https` (RFC 7239). */
function readForPair(element: string): string {
  if (element.length > ELEMENT_CHARACTERS_MAX) return "";
  const pair = /(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)\s*(?:;|$)/i.exec(element);
  return (pair?.[1] ?? "").replace(/^"(.*)"$/, "$1");
}

/**
 * Splits at commas that are not between quotes. Where a quote is never closed, every comma counts:
 * otherwise a client could swallow what the proxies write behind it.
 */
function splitQuoted(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index];
    if (character === '"') quoted = !quoted;
    else if (character === "\\" && quoted) index += 1;
    else if (character === "," && !quoted) {
      elements.push(value.slice(start, index));
      start = index + 1;
    }
  }
  if (quoted) return value.split(",");
  elements.push(value.slice(start));
  return elements;
}

/** The address of one hop, without the port that some proxies add. */
function parseHop(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return canonicalAddress(bracketed[1] ?? "");
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text);
  return canonicalAddress(withPort?.[1] ?? text);
}

function parseNetwork(text: string): Network | undefined {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = canonicalAddress(addressText);
  if (address === undefined || rest.length > 0 || addressText.includes("%")) return undefined;
  const bitsMax = isIP(address) === 4 ? 32 : 128;
  if (prefixText === undefined) return { address, prefixBits: bitsMax };
  // `::ffff:10.0.0.0/104` and `10.0.0.0/8` are the same network.
  const mappedBits = isIP(address) === 4 && addressText.includes(":") ? 96 : 0;
  const prefixBits = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) - mappedBits : -1;
  return prefixBits >= 0 && prefixBits <= bitsMax ? { address, prefixBits } : undefined;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
