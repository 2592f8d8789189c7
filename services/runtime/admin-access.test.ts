import { expect, test } from "vitest";
import { adminAccess } from "./admin-access.ts";

const SECRET = "0123456789abcdef";

const kindOf = (
  authorization: string | undefined,
  secret: string | undefined,
  peer = "127.0.0.1",
) => {
  const access = adminAccess({ headers: { authorization }, peerAddress: peer }, secret);
  return access.kind === "granted" ? "granted" : `${access.status} ${access.reason}`;
};

test.each([
  [`Bearer ${SECRET}`, "granted"],
  [`bearer  ${SECRET}`, "granted"],
  [`Bearer ${SECRET}x`, "401 secret"],
  [`Bearer ${SECRET.slice(1)}`, "401 secret"],
  [`Bearer ${SECRET} x`, "401 secret"],
  ["Bearer ", "401 secret"],
  [`Basic ${SECRET}`, "401 secret"],
  [SECRET, "401 secret"],
  [undefined, "401 secret"],
])("with a secret, %j gets: %s, from this machine as well", (authorization, expected) => {
  expect(kindOf(authorization, SECRET)).toBe(expected);
  expect(kindOf(authorization, SECRET, "192.0.2.7")).toBe(expected);
});

test.each([
  ["127.0.0.1", "granted"],
  ["127.8.9.10", "granted"],
  ["::1", "granted"],
  ["::ffff:127.0.0.1", "granted"],
  ["192.0.2.7", "403 remote"],
  ["::ffff:192.0.2.7", "403 remote"],
  ["1127.0.0.1", "403 remote"],
  ["2001:db8::1", "403 remote"],
  ["", "403 remote"],
])("without one, %s gets: %s", (peer, expected) => {
  expect(kindOf(undefined, undefined, peer)).toBe(expected);
  expect(kindOf("Bearer guess", undefined, peer)).toBe(expected);
});

test.each(["forwarded", "x-forwarded-for", "x-real-ip", "via"])(
  "without one, a proxy on this machine that sends %s is refused",
  (name) => {
    const request = { headers: { [name]: "192.0.2.7" }, peerAddress: "127.0.0.1" };
    expect(adminAccess(request, undefined)).toMatchObject({ kind: "refused", status: 403 });
    const authorised = {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${SECRET}` },
    };
    expect(adminAccess(authorised, SECRET)).toEqual({ kind: "granted" });
  },
);
