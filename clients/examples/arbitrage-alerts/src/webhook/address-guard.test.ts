import { expect, test } from "vitest";
import { createAddressGuard } from "./address-guard.ts";

const guard = createAddressGuard({ allowed: [], isEncrypted: true });

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "2001:db8::1",
  "2002:7f00:1::",
  "fc00::1",
  "fe80::1",
  "ff02::1",
])("%s is refused", (address) => {
  expect(guard(address)).toContain("is not public");
});

test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])(
  "%s is public",
  (address) => {
    expect(guard(address)).toBeUndefined();
  },
);

test("what is allowed passes, and nothing beside it", () => {
  const allowed = ["127.0.0.1", "10.1.0.0/16", "::1", "fd00::/8"];
  const lenient = createAddressGuard({ allowed, isEncrypted: false });
  for (const address of ["127.0.0.1", "10.1.255.255", "::1", "fd12::1"]) {
    expect(lenient(address)).toBeUndefined();
  }
  for (const address of ["127.0.0.2", "10.2.0.0", "::2", "fe80::1"]) {
    expect(lenient(address)).toContain("is not public");
  }
});

test("a public address is reached with TLS only", () => {
  const plain = createAddressGuard({ allowed: [], isEncrypted: false });
  expect(plain("8.8.8.8")).toContain("without TLS");
});

test.each(["localhost", "10.0.0.0/33", "::/129", "10.0.0.0/x"])("%s is no network", (network) => {
  expect(() => createAddressGuard({ allowed: [network], isEncrypted: true })).toThrow(network);
});
