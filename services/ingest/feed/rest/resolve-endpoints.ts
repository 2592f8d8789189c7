import type { FeedAdapter, FeedEndpoints } from "../feed-adapter.ts";

/** Addresses that stand in for a venue's own. */
type EndpointOverrides = { readonly [name in keyof FeedEndpoints]?: string | undefined };

/**
 * The venue's addresses with those given in their place; who gives one for its sockets wants no
 * other, so the venue's second one goes too. REST addresses end without a slash, so
 * that adapters can put their paths behind them.
 */
export function resolveEndpoints(adapter: FeedAdapter, given: EndpointOverrides): FeedEndpoints {
  const overrides = Object.entries(given).filter(([, address]) => address !== undefined);
  const { rest, derivativesRest, webSocketFallback, ...sockets }: FeedEndpoints = {
    ...adapter.endpoints,
    ...Object.fromEntries(overrides),
  };
  const hasFallback = webSocketFallback !== undefined && given.webSocket === undefined;
  return {
    ...sockets,
    ...(hasFallback ? { webSocketFallback } : {}),
    rest: withoutSlash(rest),
    ...(derivativesRest === undefined ? {} : { derivativesRest: withoutSlash(derivativesRest) }),
  };
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, "");
}
