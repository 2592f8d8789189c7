import { BlockList, isIP } from "node:net";

/**
 * Addresses of IPv4 that are nobody's on the internet: an alert that goes to one reaches what only
 * this machine or its network can reach, such as the metadata service of a cloud.
 */
const NOT_PUBLIC_V4: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** All public addresses of IPv6 are in here, */
const PUBLIC_V6 = ["2000::", 3] as const;
/** except what is for documents and protocols, or has an address of IPv4 inside. */
const NOT_PUBLIC_V6: readonly (readonly [address: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const notPublicV4 = new BlockList();
for (const [address, bits] of NOT_PUBLIC_V4) notPublicV4.addSubnet(address, bits, "ipv4");
const publicV6 = new BlockList();
publicV6.addSubnet(...PUBLIC_V6, "ipv6");
const notPublicV6 = new BlockList();
for (const [address, bits] of NOT_PUBLIC_V6) notPublicV6.addSubnet(address, bits, "ipv6");

/** Says of an address why nothing may be sent to it; undefined if it may. */
export type AddressGuard = (address: string) => string | undefined;

/**
 * Lets through what is public over TLS, and besides only what `allowed` names: addresses, or
 * networks such as `10.1.0.0/16`. Throws an Error for one that is neither.
 */
export function createAddressGuard({
  allowed,
  isEncrypted,
}: {
  readonly allowed: readonly string[];
  readonly isEncrypted: boolean;
}): AddressGuard {
  const exceptions = { 4: new BlockList(), 6: new BlockList() };
  for (const network of allowed) {
    const [address = "", bits] = network.split("/");
    const version = isIP(address);
    const widest = version === 4 ? 32 : 128;
    const width = Number(bits ?? widest);
    if ((version !== 4 && version !== 6) || !(width >= 0 && width <= widest)) {
      throw new Error(`"${network}" is no address and no network like 10.1.0.0/16`);
    }
    exceptions[version].addSubnet(address, width, `ipv${version}`);
  }
  return (address) => {
    const version = isIP(address);
    if (version !== 4 && version !== 6) return `${address} is no address`;
    if (exceptions[version].check(address, `ipv${version}`)) return undefined;
    if (!isPublic(address, version)) return `${address} is not public; --allow-address lets it be`;
    if (!isEncrypted) return `${address} would be reached without TLS; --allow-address lets it be`;
    return undefined;
  };
}

function isPublic(address: string, version: 4 | 6): boolean {
  if (version === 4) return !notPublicV4.check(address, "ipv4");
  return publicV6.check(address, "ipv6") && !notPublicV6.check(address, "ipv6");
}
