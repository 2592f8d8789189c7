import { describe, expect, test } from "vitest";
import { canonicalAddress, isNetwork, PeerAddresses } from "./peer-address.ts";

const headers = (name: string, value: string | undefined) =>
  new Map(value === undefined ? [] : [[name, value]]);

/** Who a request comes from whose socket says `peer`, behind a proxy in 10.0.0.0/8 or at ::1. */
function forwardedFor(peer: string, value?: string): string {
  const addresses = new PeerAddresses({
    trustedProxies: ["10.0.0.0/8", "::1"],
    proxyHeader: "x-forwarded-for",
  });
  return addresses.clientOf(peer, headers("x-forwarded-for", value));
}

function forwarded(value: string): string {
  const addresses = new PeerAddresses({ trustedProxies: ["10.0.0.0/8"], proxyHeader: "forwarded" });
  return addresses.clientOf("10.0.0.1", headers("forwarded", value));
}

describe("whom a request comes from", () => {
  test("without trusted proxies, it comes from the socket's address, whatever it says", () => {
    const nobody = new PeerAddresses({ trustedProxies: [], proxyHeader: "x-forwarded-for" });
    const said = headers("x-forwarded-for", "203.0.113.9");
    expect(nobody.clientOf("10.0.0.1", said)).toBe("10.0.0.1");
  });

  test.each([
    ["a stranger is not believed", "198.51.100.7", "203.0.113.9", "198.51.100.7"],
    ["a trusted proxy is", "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["so is one over IPv6", "::1", "203.0.113.9", "203.0.113.9"],
    ["in any way to write its address", "0000:0:0:0:0:0:0:1", "2001:DB8::0:1", "2001:db8::1"],
    ["and an IPv4 address inside IPv6", "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"],
    ["a trusted proxy that says nothing stands for itself", "10.0.0.1", undefined, "10.0.0.1"],
    ["an empty header says nothing", "10.0.0.1", " , ", "10.0.0.1"],
    [
      "what a client wrote before the proxy is not believed",
      "10.0.0.1",
      "1.1.1.1, 9.9.9.9",
      "9.9.9.9",
    ],
    ["a chain of trusted proxies is followed", "10.0.0.1", "9.9.9.9, 10.1.1.1,10.2.2.2", "9.9.9.9"],
    ["a chain of nothing else ends at its start", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    [
      "rubbish ends the walk at the last known address",
      "10.0.0.1",
      "9.9.9.9, x, 10.0.0.2",
      "10.0.0.2",
    ],
    ["a name is not an address", "10.0.0.1", "localhost", "10.0.0.1"],
    ["a port is left out", "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"],
    ["also after IPv6 in brackets", "10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"],
    ["brackets alone are fine", "10.0.0.1", "[2001:db8::1]", "2001:db8::1"],
    ["a number out of range is no address", "10.0.0.1", "203.0.113.256", "10.0.0.1"],
  ])("%s", (_, peer, value, client) => {
    expect(forwardedFor(peer, value)).toBe(client);
  });

  test.each([
    ["for=203.0.113.9", "203.0.113.9"],
    ["For=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"],
    ['proto=https; for="203.0.113.9:4711"', "203.0.113.9"],
    ['for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
    ["for=1.1.1.1, for=203.0.113.9, for=10.0.0.2", "203.0.113.9"],
    ['for=203.0.113.9, for=10.0.0.2;ext="a, for=6.6.6.6"', "203.0.113.9"],
    ["for=unknown", "10.0.0.1"],
    ["for=_hidden, for=10.0.0.2", "10.0.0.2"],
    ["by=203.0.113.9", "10.0.0.1"],
    ["xfor=203.0.113.9", "10.0.0.1"],
    ['for="203.0.113.9', "10.0.0.1"],
    ['for="x, for=203.0.113.9', "203.0.113.9"],
    ['for="x, for="[2001:db8::1]"', "2001:db8::1"],
    ['for="\\", for=6.6.6.6", for=203.0.113.9', "203.0.113.9"],
    [`for=203.0.113.9;ext=${"x".repeat(512)}`, "10.0.0.1"],
    ["", "10.0.0.1"],
  ])("Forwarded: %s comes from %s", (value, client) => {
    expect(forwarded(value)).toBe(client);
  });

  test("only the configured header is read", () => {
    const addresses = new PeerAddresses({ trustedProxies: ["::1"], proxyHeader: "forwarded" });
    const said = headers("x-forwarded-for", "203.0.113.9");
    expect(addresses.clientOf("::1", said)).toBe("::1");
  });

  test("at most 16 hops are followed", () => {
    const proxies = (count: number) => Array<string>(count).fill("10.0.0.2").join(", ");
    expect(forwardedFor("10.0.0.1", `9.9.9.9, ${proxies(15)}`)).toBe("9.9.9.9");
    expect(forwardedFor("10.0.0.1", `9.9.9.9, ${proxies(16)}`)).toBe("10.0.0.2");
  });

  test("a socket without an address, such as a local one, is nobody's proxy", () => {
    expect(forwardedFor("", "203.0.113.9")).toBe("");
  });

  test("a network that is none is refused with the text", () => {
    const make = () =>
      new PeerAddresses({ trustedProxies: ["10.0.0.0/33"], proxyHeader: "forwarded" });
    expect(make).toThrow('"10.0.0.0/33" is neither an IP address nor a network');
  });
});

test.each([
  ["10.0.0.1", true],
  ["10.0.0.0/0", true],
  ["10.0.0.0/32", true],
  ["10.0.0.0/33", false],
  ["10.0.0.0/-1", false],
  ["10.0.0.0/8/8", false],
  ["10.0.0.0/", false],
  ["10.0.0/8", false],
  ["::/0", true],
  ["2001:db8::/128", true],
  ["2001:db8::/129", false],
  ["::ffff:10.0.0.0/104", true],
  ["::ffff:10.0.0.0/8", false],
  ["fe80::1%eth0", false],
  ["loopback", false],
  ["", false],
])("%s is a network: %s", (text, is) => {
  expect(isNetwork(text)).toBe(is);
});

test.each([
  ["0000:0000:0000:0000:0000:ffff:7f00:0001", "127.0.0.1"],
  ["0000:0000:0000:0000:0000:0000:0000:0001", "::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.01", undefined],
])("%s is written %s", (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});

test("the certificate that a proxy names counts only if the proxy is trusted and has the header", () => {
  const rules = { trustedProxies: ["10.0.0.0/8"], proxyHeader: "x-forwarded-for" } as const;
  const named = headers("x-client-cert", " CN=desk-3,O=Firm ");
  const addresses = new PeerAddresses({ ...rules, certificateHeader: "x-client-cert" });
  expect(addresses.certificateOf("10.0.0.1", named)).toEqual({ names: ["CN=desk-3,O=Firm"] });
  expect(addresses.certificateOf("198.51.100.7", named)).toBeUndefined();
  expect(addresses.certificateOf("10.0.0.1", headers("x-client-cert", ""))).toBeUndefined();
  expect(addresses.certificateOf("10.0.0.1", headers("other", "CN=desk-3"))).toBeUndefined();
  expect(new PeerAddresses(rules).certificateOf("10.0.0.1", named)).toBeUndefined();
});
