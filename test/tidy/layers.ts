/**
 * Who may import whom. Every specifier is followed to the file or package that it leads to, and
 * judged by the most specific layer that holds the importer. Tests may import what they test.
 */

import { isCode, isTest, type SourceFile } from "./source-files.ts";
import { referencesOf, resolveSpecifier, type Target } from "./specifiers.ts";

type Layer = {
  /** A folder, ending with a slash, or a single file. */
  readonly place: string;
  /**
   * Folders (ending with a slash), files, and packages. A layer may always import itself; a folder
   * in the list brings what is below it. `node:*` stands for every module of Node, and likewise
   * with other prefixes.
   */
  readonly may: readonly string[];
};

/** A package that only these places may import. */
type Importers = { readonly packageName: string; readonly places: readonly string[] };

const CORE = ["services/core/", "@tickwire/proto/model"];
const SHARED = ["services/core/", "services/wire/", "services/bus/", "@tickwire/proto/*", "node:*"];

/** What every room of a service may know: its settings, its metrics, the shape of its logger. */
const INGEST_CONTRACTS = ["config", "limits", "metrics", "turn-scheduler"].map(
  (name) => `services/ingest/${name}.ts`,
);
const PROXY_PACKAGES = ["https-proxy-agent", "proxy-from-env", "socks-proxy-agent"];

/** What both rooms of a venue's feed, its connections and its REST, are written against. */
const FEED_CONTRACTS = ["book-sync-of", "feed-adapter", "feed-sink", "venue-context"].map(
  (name) => `services/ingest/feed/${name}.ts`,
);
const GATEWAY_CONTRACTS = ["config", "metrics"].map((name) => `services/gateway/${name}.ts`);

const LAYERS: readonly Layer[] = [
  { place: "proto/model/", may: ["proto/gen/events.ts"] },
  { place: "proto/codec/", may: ["proto/model/", "proto/gen/", "protobufjs/minimal.js"] },
  { place: "proto/gen/", may: ["proto/codec/", "proto/model/", "protobufjs/minimal.js", "long"] },
  { place: "clients/typescript/src/", may: ["@tickwire/proto/*", "ws"] },
  {
    place: "clients/dashboard/src/",
    may: ["clients/dashboard/src/", "@tickwire/client*", "lightweight-charts"],
  },
  // Examples are what a user writes: they know the client, and Node.
  { place: "clients/examples/arbitrage-alerts/src/", may: ["@tickwire/client", "node:*"] },
  {
    place: "clients/examples/plain-pages/",
    may: ["@tickwire/client", "@tickwire/proto/model", "node:*"],
  },
  {
    place: "clients/examples/recorder/src/",
    may: ["@tickwire/client", "@duckdb/node-api", "node:*"],
  },
  { place: "clients/examples/terminal-watcher/src/", may: ["@tickwire/client", "node:*"] },
  { place: "clients/examples/worker-thread/src/", may: ["@tickwire/client", "node:*"] },
  { place: "clients/examples/market-maker/src/", may: ["@tickwire/client", "node:*"] },
  // What is computed for the page knows neither the page nor the libraries that draw it.
  {
    place: "clients/dashboard/src/market/",
    may: ["@tickwire/client", "clients/dashboard/src/layout/"],
  },
  { place: "clients/dashboard/src/layout/", may: [] },

  { place: "services/core/", may: ["@tickwire/proto/model"] },
  {
    place: "services/wire/",
    may: [
      "services/core/",
      "@tickwire/proto/codec",
      "@tickwire/proto/messages",
      "@tickwire/proto/model",
    ],
  },
  {
    place: "services/bus/",
    may: [...CORE, "@nats-io/transport-node", "@nats-io/jetstream", "@nats-io/kv"],
  },
  { place: "services/publish/", may: SHARED },
  {
    place: "services/publish/publish-settings.ts",
    may: [...SHARED, "services/publish/", "zod"],
  },
  {
    place: "services/runtime/",
    may: ["services/core/", "pino", "prom-client", "@opentelemetry/api", "node:*"],
  },
  {
    // The whole configuration is one tree: its sections are defined beside what they configure.
    place: "services/config/",
    may: [
      "services/core/",
      "services/runtime/",
      "services/ingest/config.ts",
      "services/ingest/simulated/simulated-settings.ts",
      "services/gateway/config.ts",
      "services/derive/config.ts",
      "zod",
    ],
  },
  {
    place: "services/recording/",
    may: [...SHARED, "services/publish/", "hyparquet-writer"],
  },
  {
    place: "services/cli/",
    may: [
      "services/",
      "@tickwire/proto/*",
      "@tickwire/client",
      "commander",
      "jose",
      "zod",
      "prom-client",
      "rolldown",
      "node:*",
    ],
  },

  // Inside ingest: feed/network < feed/rest < feed/connection, feed < reading < venues,
  // feed < venue < capture, and the parts list above all.
  {
    place: "services/ingest/",
    may: [...SHARED, "services/publish/", "services/ingest/", "prom-client"],
  },
  ...contracts(INGEST_CONTRACTS, [
    "services/publish/",
    "services/ingest/venue/venue-counters.ts",
    "services/ingest/venues/venue-ids.ts",
    "services/ingest/simulated/simulated-settings.ts",
    "services/ingest/feed/network/proxy-url.ts",
    "services/runtime/latency-metric.ts",
  ]),
  { place: "services/ingest/feed/", may: [...SHARED, ...INGEST_CONTRACTS] },
  {
    place: "services/ingest/feed/connection/",
    may: [...SHARED, ...INGEST_CONTRACTS, "services/ingest/feed/", "ws"],
  },
  { place: "services/ingest/feed/network/", may: [...PROXY_PACKAGES, "node:*"] },
  {
    place: "services/ingest/feed/rest/",
    may: [...SHARED, ...INGEST_CONTRACTS, ...FEED_CONTRACTS, "services/ingest/feed/network/"],
  },
  { place: "services/ingest/reading/", may: [...CORE, "services/ingest/feed/", "node:*"] },
  {
    place: "services/ingest/venues/",
    may: [...CORE, "services/ingest/feed/", "services/ingest/reading/", "zod", "node:*"],
  },
  {
    place: "services/ingest/venues/registry.ts",
    may: ["services/ingest/feed/", "services/ingest/venues/", "services/ingest/simulated/"],
  },
  {
    place: "services/ingest/simulated/",
    may: [...CORE, "services/ingest/feed/", "services/ingest/reading/", "zod"],
  },
  {
    place: "services/ingest/venue/",
    may: [
      ...SHARED,
      ...INGEST_CONTRACTS,
      "services/publish/",
      "services/ingest/feed/",
      "services/ingest/reading/",
      "prom-client",
    ],
  },
  {
    place: "services/ingest/capture/",
    may: [
      ...SHARED,
      ...INGEST_CONTRACTS,
      "services/publish/",
      "services/ingest/feed/",
      "services/ingest/venue/",
      "services/ingest/venues/",
    ],
  },

  // What is derived reads the bus as a gateway does, and publishes as an ingestor does. In it
  // reading and publishing are below the two kinds of data, which do not know each other.
  {
    place: "services/derive/",
    may: [
      ...SHARED,
      "services/publish/",
      "services/derive/",
      "services/gateway/turns/",
      "prom-client",
      "zod",
    ],
  },
  { place: "services/derive/config.ts", may: ["services/core/", "services/publish/", "zod"] },
  {
    place: "services/derive/reading/",
    may: [
      ...SHARED,
      "services/gateway/catalog/",
      "services/gateway/history/",
      "services/gateway/topics/",
      "services/gateway/turns/",
      "services/gateway/metrics.ts",
      "prom-client",
    ],
  },
  { place: "services/derive/publishing/", may: [...SHARED, "services/publish/"] },
  ...["candles", "consolidated"].map((room) => ({
    place: `services/derive/${room}/`,
    may: [
      ...SHARED,
      "services/derive/config.ts",
      "services/derive/derived-names.ts",
      "services/derive/publishing/",
      "services/derive/reading/",
    ],
  })),

  // Inside the gateway:
  // access < transport < turns < history < catalog < rpc < topics < session < http < the rest.
  { place: "services/gateway/", may: [...SHARED, "services/gateway/", "prom-client"] },
  ...contracts(GATEWAY_CONTRACTS, [
    "services/gateway/http/streams/stream-metrics.ts",
    "services/gateway/access/",
    "services/gateway/history/log-metrics.ts",
    "services/gateway/transport/",
    "services/runtime/latency-metric.ts",
    "services/gateway/view-metrics.ts",
  ]),
  {
    place: "services/gateway/access/",
    may: [...SHARED, ...GATEWAY_CONTRACTS, "jose", "prom-client", "zod"],
  },
  {
    place: "services/gateway/transport/",
    may: [
      ...SHARED,
      ...GATEWAY_CONTRACTS,
      "services/gateway/access/",
      "uWebSockets.js",
      "uWebSockets.js-node24",
      "ws",
    ],
  },
  ...gatewayFloors([
    ["turns"],
    ["history"],
    ["catalog"],
    ["rpc"],
    ["topics"],
    ["session"],
    ["http"],
  ]),
];

const IMPORTERS: readonly Importers[] = [
  {
    packageName: "@nats-io/transport-node",
    places: [
      "services/bus/jetstream-leases.ts",
      "services/bus/jetstream-examination.ts",
      "services/bus/jetstream-log.ts",
      "services/bus/nats-bus.ts",
      "services/bus/nats-connection.ts",
    ],
  },
  { packageName: "@nats-io/kv", places: ["services/bus/jetstream-leases.ts"] },
  {
    packageName: "@nats-io/jetstream",
    places: [
      "services/bus/jetstream-leases.ts",
      "services/bus/jetstream-examination.ts",
      "services/bus/jetstream-log.ts",
    ],
  },
  { packageName: "uWebSockets.js", places: ["services/gateway/transport/uws-module.ts"] },
  {
    packageName: "uWebSockets.js-node24",
    places: ["services/gateway/transport/uws-module.ts"],
  },
  {
    packageName: "@tickwire/proto/messages",
    // `decode` describes whatever the schema has.
    places: ["services/wire/", "services/cli/output/decoded-message.ts", "clients/typescript/src/"],
  },
  { packageName: "pino", places: ["services/runtime/logger.ts"] },
  { packageName: "rolldown", places: ["services/cli/bundle.mjs"] },
  ...PROXY_PACKAGES.map((packageName) => ({
    packageName,
    places: ["services/ingest/feed/network/venue-route.ts"],
  })),
  {
    packageName: "ws",
    places: [
      "clients/typescript/src/host/node-web-socket.ts",
      "services/gateway/transport/node/",
      "services/ingest/feed/connection/web-socket-dialer.ts",
    ],
  },
];

/** What every room knows may know no room, but for the names and counts that it is about. */
function contracts(places: readonly string[], about: readonly string[]): Layer[] {
  const may = [...SHARED, ...places, ...about, "zod", "prom-client"];
  return places.map((place) => ({ place, may }));
}

/** Every floor may import those below it, and its neighbours on the same floor. */
function gatewayFloors(floors: readonly (readonly string[])[]): Layer[] {
  const below = ["services/gateway/access/", "services/gateway/transport/"];
  return floors.flatMap((rooms) => {
    below.push(...rooms.map((room) => `services/gateway/${room}/`));
    const may = [...SHARED, ...GATEWAY_CONTRACTS, ...below, "prom-client"];
    return rooms.map((room) => ({ place: `services/gateway/${room}/`, may }));
  });
}

/** Imports that a layer does not allow, that leave their area by `..`, or that are computed. */
export function checkLayers(file: SourceFile, layers: readonly Layer[] = LAYERS): string[] {
  if (!isCode(file.path)) return [];
  const layer = layerOf(file.path, layers);
  return referencesOf(file).flatMap(({ specifier, line, isAddress }) => {
    const at = `${file.path}:${line}`;
    // A test reads what it likes, and finds it as it likes.
    if (isTest(file.path) && (isAddress || specifier === undefined)) return [];
    if (specifier === undefined) {
      return [`${at} imports what it computes, so no rule can judge it`];
    }
    const target = resolveSpecifier(file.path, specifier);
    // The address of a document is that of data, which may lie anywhere.
    if (isAddress && !isCode(target.path ?? "")) return [];
    if (leavesItsArea(file.path, specifier, target)) {
      return [`${at} reaches ${target.path} by a relative path; write #area/file.ts`];
    }
    if (staysInItsArea(file.path, specifier, target)) {
      return [`${at} reaches its own area by ${specifier}; write a relative path`];
    }
    if (isTest(file.path) || layer === undefined || isAllowed(layer, target, layers)) return [];
    return [`${at} may not import ${specifier}: it is no part of what ${layer.place} may import`];
  });
}

/** Packages that are imported outside the places that own them. */
export function checkImporters(
  file: SourceFile,
  importers: readonly Importers[] = IMPORTERS,
): string[] {
  if (!isCode(file.path) || isTest(file.path) || file.path.startsWith("proto/")) return [];
  return referencesOf(file).flatMap(({ specifier, line }) => {
    if (specifier === undefined) return [];
    const { packageName } = resolveSpecifier(file.path, specifier);
    const rule = importers.find((candidate) => candidate.packageName === packageName);
    if (rule === undefined || rule.places.some((place) => isIn(file.path, place))) return [];
    return [
      `${file.path}:${line} imports ${packageName}, which belongs to ${rule.places.join(", ")}`,
    ];
  });
}

/**
 * What the lists above name although the tree does not have it, or although nobody who has it in
 * the list needs it. Folders and prefixes only say where a layer stands; they may be idle.
 */
export function findNeedlessPermissions(
  files: readonly SourceFile[],
  layers: readonly Layer[] = LAYERS,
  importers: readonly Importers[] = IMPORTERS,
): string[] {
  const problems: string[] = [];
  const code = files.filter(({ path }) => isCode(path) && !isTest(path));
  const used = usedEntries(code, layers);
  for (const { place } of layers) {
    if (!code.some(({ path }) => isIn(path, place)))
      problems.push(`the layer ${place} has no file`);
  }
  for (const entry of new Set(layers.flatMap(({ may }) => may))) {
    if (!/[/*]$/.test(entry) && !used.has(entry)) {
      problems.push(`layers may import ${entry}, but none of them does`);
    }
  }
  for (const { packageName, places } of importers) {
    const users = code.filter((file) => packagesOf(file).includes(packageName));
    for (const place of places) {
      if (users.some(({ path }) => isIn(path, place))) continue;
      problems.push(`${place} is named as an importer of ${packageName}, but does not import it`);
    }
  }
  return problems;
}

/** The entries of the layers' lists that an import of that layer needed. */
function usedEntries(code: readonly SourceFile[], layers: readonly Layer[]): Set<string> {
  const used = new Set<string>();
  for (const file of code) {
    const layer = layerOf(file.path, layers);
    for (const { specifier } of referencesOf(file)) {
      if (layer === undefined || specifier === undefined) continue;
      const target = resolveSpecifier(file.path, specifier);
      for (const entry of layer.may) if (matches(entry, target)) used.add(entry);
    }
  }
  return used;
}

function packagesOf(file: SourceFile): (string | undefined)[] {
  return referencesOf(file).map(
    ({ specifier = "" }) => resolveSpecifier(file.path, specifier).packageName,
  );
}

/** The most specific layer that holds a file. */
function layerOf(path: string, layers: readonly Layer[]): Layer | undefined {
  return layers
    .filter((layer) => isIn(path, layer.place))
    .toSorted((a, b) => b.place.length - a.place.length)[0];
}

function isAllowed(layer: Layer, target: Target, layers: readonly Layer[]): boolean {
  if (layer.may.some((entry) => matches(entry, target))) return true;
  const { path, packageName } = target;
  // A package is a door; its files are reached through it only.
  return path !== undefined && packageName === undefined && layerOf(path, layers) === layer;
}

/** A file is reached by its path, and a published one by the name of its package. */
function matches(entry: string, target: Target): boolean {
  const { path, packageName } = target;
  if (packageName === undefined) return path !== undefined && isIn(path, entry);
  return entry.endsWith("*") ? packageName.startsWith(entry.slice(0, -1)) : packageName === entry;
}

function isIn(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

/** What belongs together and is reached from elsewhere by name: a service, a package, a suite. */
function areaOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "proto" ? top : `${top}/${second}`;
}

function leavesItsArea(from: string, specifier: string, target: Target): boolean {
  // The names with # stand for TypeScript files only.
  if (!specifier.startsWith(".") || target.path?.endsWith(".ts") !== true) return false;
  // Inside the published packages no #area is known: there, the layers alone judge.
  return areaOf(target.path) !== areaOf(from) && /^(services|test)\//.test(from);
}

function staysInItsArea(from: string, specifier: string, target: Target): boolean {
  return specifier.startsWith("#") && areaOf(target.path ?? "") === areaOf(from);
}
