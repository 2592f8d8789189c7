import type { Tracing } from "#core/tracing.ts";
import type { RestClient } from "./rest-client.ts";

/**
 * A client whose requests are spans, by host and path: what stands in a query is the venue's
 * business. Only for ingestors that trace: others use the client itself.
 */
export function tracedRestClient(client: RestClient, tracing: Tracing, venue: string): RestClient {
  return {
    get(request, onResponse, onError) {
      const { host, pathname } = new URL(request.url);
      const { method = "GET" } = request;
      const attributes = {
        "http.request.method": method,
        "server.address": host,
        "url.path": pathname,
        "tickwire.venue": venue,
      };
      const span = tracing.start(`${method} ${host}`, { kind: "client", attributes });
      span.within(() =>
        client.get(
          request,
          (response) => {
            span.end(response.status < 400 ? undefined : { message: `status ${response.status}` });
            onResponse(response);
          },
          (reason) => {
            span.end({ message: reason });
            onError(reason);
          },
        ),
      );
    },
    ...(client.close === undefined ? {} : { close: () => client.close?.() }),
  };
}
