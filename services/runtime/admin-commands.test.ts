import { afterEach, describe, expect, test } from "vitest";
import { startAdminServer, type AdminServer } from "./admin-server.ts";
import { createMetrics } from "./metrics.ts";

const servers: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A server with one command, which keeps what it was asked. */
async function start({ secret }: { readonly secret?: string } = {}) {
  const asked: unknown[] = [];
  const command = {
    show: () => ({ asked: asked.length }),
    run: (value: unknown) => {
      if (value === "wrong") return "this is wrong";
      if (value === "bug") throw new Error("a bug");
      asked.push(value);
      return { asked: asked.length };
    },
  };
  const server = await startAdminServer({
    host: "127.0.0.1",
    port: 0,
    hosts: [],
    metrics: createMetrics({ version: "test" }),
    notReadyReasons: () => [],
    services: () => [],
    commands: new Map([["replay", command]]),
    describeProcess: () => ({}),
    secret,
    mayAdminister: undefined,
    onError: () => undefined,
  });
  servers.push(server);
  const url = `http://127.0.0.1:${server.port}/admin/replay`;
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  return { asked, url, post };
}

describe("a command on the admin address", () => {
  test("is shown by GET and run by POST", async () => {
    const { asked, url, post } = await start();
    const answer = await post('{"action":"pause"}', { "content-type": "application/json; x=y" });
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 200,
      body: { asked: 1 },
    });
    expect(asked).toEqual([{ action: "pause" }]);
    expect(await (await fetch(url)).json()).toEqual({ asked: 1 });
  });

  test.each([
    ['"wrong"', 400],
    ["{", 400],
    ["", 400],
    ['"bug"', 500],
  ])("answers %s with %i", async (body, status) => {
    const { asked, post } = await start();
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toHaveProperty("error");
    expect(asked).toEqual([]);
  });

  test.each([
    [4_095, 200],
    [4_096, 200],
    [4_097, 400],
  ])("takes a body of %i bytes: %i", async (bytes, status) => {
    const { post } = await start();
    expect((await post(`"${"x".repeat(bytes - 2)}"`)).status).toBe(status);
  });

  test("is not for pages of a browser, which send other types without asking", async () => {
    const { asked, post } = await start();
    expect((await post("{}", { "content-type": "text/plain" })).status).toBe(415);
    expect(asked).toEqual([]);
  });

  test("takes no other method", async () => {
    const { url } = await start();
    const answer = await fetch(url, { method: "DELETE" });
    expect({ status: answer.status, allow: answer.headers.get("allow") }).toEqual({
      status: 405,
      allow: "GET, POST",
    });
  });

  test("is for those who have the secret, where there is one", async () => {
    const { asked, url, post } = await start({ secret: "a-secret-of-enough-characters" });
    expect((await post("{}")).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    const authorization = "Bearer a-secret-of-enough-characters";
    expect((await post("{}", { authorization })).status).toBe(200);
    expect(asked).toEqual([{}]);
  });

  test.each(["forwarded", "x-forwarded-for"])("is refused behind a proxy (%s)", async (header) => {
    const { post } = await start();
    expect((await post("{}", { [header]: "for=1.2.3.4" })).status).toBe(403);
  });
});
