import { expect, test } from "vitest";
import { gatewayUrl, reachableUrl, socketAddress } from "./listen-address.ts";

test("a server on every address is reached on the loopback one", () => {
  expect(["0.0.0.0", "::"].map((host) => reachableUrl(host, 80))).toEqual(
    Array(2).fill("http://127.0.0.1:80/"),
  );
});

test("an IPv6 address stands in brackets", () => {
  expect(reachableUrl("::1", 8080)).toBe("http://[::1]:8080/");
  expect(socketAddress("10.0.0.1", 1)).toBe("10.0.0.1:1");
});

test.each([
  [{ tls: {}, pathPrefix: "" }, "http://127.0.0.1:80/"],
  [{ tls: { certFile: "server.crt" }, pathPrefix: "" }, "https://127.0.0.1:80/"],
  [{ tls: {}, pathPrefix: "/market" }, "http://127.0.0.1:80/market/"],
])("a gateway with %j is reached at %s", (settings, url) => {
  expect(gatewayUrl({ address: "0.0.0.0", port: 80 }, settings)).toBe(url);
});
