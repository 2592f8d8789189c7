import { expect, test } from "vitest";
import type { Tracing } from "#core/tracing.ts";
import type { RestAnswer } from "./rest-client.ts";
import { tracedRestClient } from "./traced-rest-client.ts";

const URL_WITH_KEY = "https://api.example:8443/v1/depth?symbol=BTC&key=secret";

/** What becomes of a request that is answered so, as the spans tell it and the caller hears it. */
function ask(answer: { readonly status?: number; readonly failure?: string }) {
  const told: unknown[] = [];
  const heard: unknown[] = [];
  const tracing: Tracing = {
    start: (name, { kind, attributes }) => {
      told.push([name, kind, attributes]);
      return {
        within: (work) => work(),
        headers: () => new Map(),
        end: (failure) => told.push(["end", failure?.message]),
      };
    },
  };
  const inner = {
    get(_: object, onResponse: (response: RestAnswer) => void, onError: (why: string) => void) {
      if (answer.failure !== undefined) onError(answer.failure);
      else onResponse({ url: URL_WITH_KEY, status: answer.status ?? 0 } as RestAnswer);
    },
  };
  tracedRestClient(inner, tracing, "kraken").get(
    { url: URL_WITH_KEY, weight: 1 },
    ({ status }) => heard.push(status),
    (reason) => heard.push(reason),
  );
  return { told, heard };
}

const BEGIN = [
  "GET api.example:8443",
  "client",
  {
    "http.request.method": "GET",
    "server.address": "api.example:8443",
    "url.path": "/v1/depth",
    "tickwire.venue": "kraken",
  },
];

test.each([
  [{ status: 200 }, undefined, 200],
  [{ status: 429 }, "status 429", 429],
  [{ failure: "timeout" }, "timeout", "timeout"],
])("a request that is answered %j ends its span as it went", (answer, failure, result) => {
  const { told, heard } = ask(answer);
  expect(told).toEqual([BEGIN, ["end", failure]]);
  expect(heard).toEqual([result]);
});

test("what stands in a query is in no span", () => {
  expect(JSON.stringify(ask({ status: 200 }).told)).not.toContain("secret");
});
