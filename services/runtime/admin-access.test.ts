import { expect, test } from "vitest";
import { adminAccess } from "./admin-access.ts";

const SECRET = "0123456789abcdef";

const kindOf = async (
  authorization: string | undefined,
  secret: string | undefined,
  peer = "127.0.0.1",
) => {
  const proof = { secret, mayAdminister: undefined };
  const access = await adminAccess({ headers: { authorization }, peerAddress: peer }, proof);
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
])("with a secret, %j gets: %s, from this machine as well", async (authorization, expected) => {
  expect(await kindOf(authorization, SECRET)).toBe(expected);
  expect(await kindOf(authorization, SECRET, "192.0.2.7")).toBe(expected);
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
])("without one, %s gets: %s", async (peer, expected) => {
  expect(await kindOf(undefined, undefined, peer)).toBe(expected);
  expect(await kindOf("Bearer guess", undefined, peer)).toBe(expected);
});

test.each(["forwarded", "x-forwarded-for", "x-real-ip", "via"])(
  "without one, a proxy on this machine that sends %s is refused",
  async (name) => {
    const request = { headers: { [name]: "192.0.2.7" }, peerAddress: "127.0.0.1" };
    const nothing = { secret: undefined, mayAdminister: undefined };
    expect(await adminAccess(request, nothing)).toMatchObject({ kind: "refused", status: 403 });
    const authorised = {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${SECRET}` },
    };
    expect(await adminAccess(authorised, { ...nothing, secret: SECRET })).toEqual({
      kind: "granted",
    });
  },
);

test.each([
  ["Bearer key-of-an-operator", "192.0.2.7", "granted"],
  ["Bearer key-of-a-client", "192.0.2.7", "401 secret"],
  ["key-of-an-operator", "192.0.2.7", "401 secret"],
  [undefined, "192.0.2.7", "401 secret"],
])("a key of the clients', as %j from %s, gets: %s", async (authorization, peer, expected) => {
  const asked: string[] = [];
  const mayAdminister = (secret: string, remoteAddress: string): Promise<boolean> => {
    asked.push(`${secret} ${remoteAddress}`);
    return Promise.resolve(secret === "key-of-an-operator");
  };
  const request = { headers: { authorization }, peerAddress: peer };
  const access = await adminAccess(request, { secret: SECRET, mayAdminister });
  expect(access.kind === "granted" ? "granted" : `${access.status} ${access.reason}`).toBe(
    expected,
  );
  expect(asked).toEqual(
    authorization?.startsWith("Bearer ") ? [`${authorization.slice(7)} ${peer}`] : [],
  );
});
