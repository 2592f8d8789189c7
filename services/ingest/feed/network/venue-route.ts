import { readFileSync } from "node:fs";
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { SocksProxyAgent } from "socks-proxy-agent";
import { isProxyUrl, NO_PROXY } from "./proxy-url.ts";

/** How the connections of one venue leave this machine. */
type VenueRouteOptions = {
  /**
   * URL of a proxy, or `direct`. If absent, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`
   * of the environment decide by host.
   */
  readonly proxy?: string | undefined;
  /** A PEM file with certificates of authorities that are trusted in place of the usual ones. */
  readonly tlsCaFile?: string | undefined;
  /** Local address that connections leave from. */
  readonly sourceAddress?: string | undefined;
};

/** Options of one request or handshake, as `node:http`, `node:https` and `ws` take them. */
type RouteOptions = {
  readonly agent?: Agent;
  readonly ca?: Buffer;
  readonly localAddress?: string;
};

/** The way to a venue. */
export type VenueRoute = { optionsFor(url: string): RouteOptions };

/** Straight to the venue, whatever the environment says. */
export const DIRECT_ROUTE: VenueRoute = { optionsFor: () => ({}) };

/** Throws if the file with certificates cannot be read. */
export function createVenueRoute(options: VenueRouteOptions = {}): VenueRoute {
  const { proxy, sourceAddress, tlsCaFile } = options;
  const ca = tlsCaFile === undefined ? undefined : readFileSync(tlsCaFile);
  const common = {
    ...(ca === undefined ? {} : { ca }),
    ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
  };
  const agents = new Map<string, Agent>();
  return {
    optionsFor(url) {
      const proxyUrl = proxy ?? proxyOfEnvironment(url);
      if (proxyUrl === NO_PROXY || proxyUrl === "") return common;
      // Few: the environment has one proxy for each scheme.
      let agent = agents.get(proxyUrl);
      if (agent === undefined) {
        agent = createProxyAgent(proxyUrl, common);
        agents.set(proxyUrl, agent);
      }
      return { ...common, agent };
    },
  };
}

/** The environment knows nothing of WebSocket's schemes. Empty if there is no proxy. */
function proxyOfEnvironment(url: string): string {
  return getProxyForUrl(url.replace(/^ws/, "http"));
}

function createProxyAgent(proxyUrl: string, common: Omit<RouteOptions, "agent">): Agent {
  // What `new URL` says of a wrong one would show the password in it.
  if (!isProxyUrl(proxyUrl)) throw new Error("the URL of the proxy is none that can be used");
  if (proxyUrl.startsWith("socks")) {
    return new SocksProxyAgent(proxyUrl, { socketOptions: common } as object);
  }
  const agent = new HttpsProxyAgent(proxyUrl, common);
  // A refusal by the proxy would otherwise look as if the venue had answered it.
  agent.on("proxyConnect", (answer: ConnectAnswer, request: ClientRequest) => {
    const { statusCode } = answer;
    if (statusCode !== 200) request.destroy(new Error(`the proxy answered ${statusCode}`));
  });
  return agent;
}

type ConnectAnswer = Pick<IncomingMessage, "statusCode">;
