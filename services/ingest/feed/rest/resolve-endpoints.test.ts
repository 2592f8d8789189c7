import { expect, test } from "vitest";
import { createFakeAdapter } from "#test/support/fake-feed.ts";
import { resolveEndpoints } from "./resolve-endpoints.ts";

test("a venue's own addresses stand where none are given", () => {
  const adapter = createFakeAdapter();
  expect(resolveEndpoints(adapter, {})).toEqual(adapter.endpoints);
  expect(resolveEndpoints(adapter, { rest: undefined })).toEqual(adapter.endpoints);
});

test("given addresses take their place, REST without a slash at the end", () => {
  const given = {
    webSocket: "ws://127.0.0.1:1/ws/",
    rest: "http://127.0.0.1:2/api//",
    derivativesRest: "http://127.0.0.1:3/",
  };
  expect(resolveEndpoints(createFakeAdapter(), given)).toEqual({
    webSocket: "ws://127.0.0.1:1/ws/",
    rest: "http://127.0.0.1:2/api",
    derivativesRest: "http://127.0.0.1:3",
  });
});

test("every venue's own REST address ends without a slash", async () => {
  const { VENUES } = await import("../../venues/registry.ts");
  for (const { venue, endpoints } of Object.values(VENUES)) {
    expect([venue, endpoints.rest.endsWith("/")]).toEqual([venue, false]);
  }
});
