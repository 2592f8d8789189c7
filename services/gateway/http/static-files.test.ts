import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { StaticFiles } from "./static-files.ts";

const script = "export const value = 1;\n".repeat(100);
const page = '<meta content="%WEB_SOCKET_PATH%">';
const bytes = (text: string): Uint8Array => Buffer.from(text);
const files = new StaticFiles(
  new Map([
    ["index.html", bytes(page)],
    ["assets/index-abc.js", bytes(script)],
  ]),
  { webSocketPath: '/a"b' },
);
const ask = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
  await files.serve(path, { headers: new Map(Object.entries(headers)) });
const text = (body: unknown): string => Buffer.from(body as Uint8Array).toString();

test("the page knows where the WebSocket is, and may run its own scripts only", async () => {
  const answer = await ask("/");
  expect(text(answer?.body)).toBe('<meta content="/a&quot;b">');
  expect(answer?.headers["content-security-policy"]).toContain("script-src 'self';");
  expect(answer?.headers["cache-control"]).toBe("no-cache");
});

test("scripts with a hash in their name are kept, and come compressed to who takes that", async () => {
  expect(text((await ask("/assets/index-abc.js"))?.body)).toBe(script);
  const answer = await ask("/assets/index-abc.js", { "accept-encoding": "br, gzip" });
  expect(answer?.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(answer?.body as Uint8Array).toString()).toBe(script);
  expect(answer?.headers["cache-control"]).toContain("immutable");
});

test("a file is compressed once, and not at all where that saves nothing", async () => {
  const gzip = { "accept-encoding": "gzip" };
  const [first, second] = await Promise.all([1, 2].map(() => ask("/assets/index-abc.js", gzip)));
  expect(second?.body).toBe(first?.body);
  expect((await ask("/", gzip))?.headers).not.toHaveProperty("content-encoding");
});

test("who has the file already gets no body", async () => {
  const etag = (await ask("/"))?.headers["etag"] ?? "";
  const known = await ask("/", { "if-none-match": `"x", W/${etag}` });
  expect(known).toMatchObject({ status: 304, body: "" });
  expect((await ask("/", { "if-none-match": '"x"' }))?.status).toBe(200);
});

test.each(["/index.html", "/assets", "/../package.json", "/constructor", ""])(
  "there is no file at %j",
  async (path) => {
    expect(await ask(path)).toBeUndefined();
  },
);
