/**
 * Time, randomness, environment and everything that reaches out are arguments everywhere but at
 * the edge. The edge is the list below; a file is in it for what it does, and for nothing else.
 */

import { globalsOf, type GlobalUse } from "./globals.ts";
import { isCode, isShipped, isGenerated, type SourceFile } from "./source-files.ts";
import { referencesOf, resolveSpecifier } from "./specifiers.ts";

type Effect =
  | "time"
  | "timers"
  | "randomness"
  | "network"
  | "process"
  | "files"
  | "output"
  | "page"
  | "loading";

/** The effects by the global name that has them; a name stands for its members too. */
const GLOBALS: Readonly<Record<string, Effect>> = {
  Date: "time",
  performance: "time",
  setTimeout: "timers",
  setInterval: "timers",
  setImmediate: "timers",
  queueMicrotask: "timers",
  requestAnimationFrame: "timers",
  scheduler: "timers",
  "AbortSignal.timeout": "timers",
  Math: "randomness",
  crypto: "randomness",
  fetch: "network",
  WebSocket: "network",
  EventSource: "network",
  XMLHttpRequest: "network",
  MessageChannel: "network",
  BroadcastChannel: "network",
  Worker: "network",
  process: "process",
  console: "output",
  globalThis: "page",
  global: "page",
  window: "page",
  self: "page",
  document: "page",
  location: "page",
  navigator: "page",
  localStorage: "page",
  sessionStorage: "page",
  indexedDB: "page",
  require: "loading",
  module: "loading",
  eval: "loading",
  Function: "loading",
};

/** Uses of these names that always give the same answer. */
const PURE = /^(Date\.(parse|UTC|prototype)|Math\.(?!random$|\?$)\w+|Function\.prototype)$/;

/** What those modules of Node have besides, and what depends on its arguments only. */
const PURE_IN_NODE =
  /^(isIP|isIPv4|isIPv6|BlockList|SocketAddress|createHash|createHmac|timingSafeEqual)$/;

/** The effects by the module of Node that has them. */
const MODULES: Readonly<Record<string, Effect>> = {
  "node:timers": "timers",
  "node:timers/promises": "timers",
  "node:perf_hooks": "time",
  "node:crypto": "randomness",
  "node:dns": "network",
  "node:dgram": "network",
  "node:http": "network",
  "node:http2": "network",
  "node:https": "network",
  "node:inspector": "network",
  "node:net": "network",
  "node:tls": "network",
  "node:worker_threads": "network",
  "node:child_process": "process",
  "node:cluster": "process",
  "node:os": "process",
  "node:process": "process",
  "node:readline": "process",
  "node:v8": "process",
  "node:fs": "files",
  "node:fs/promises": "files",
  "node:module": "loading",
  "node:vm": "loading",
};

type Edge = { readonly path: string; readonly effects: readonly Effect[] };

/** The files that have effects, each with those that it has. */
const EDGES: readonly Edge[] = [
  {
    path: "clients/examples/arbitrage-alerts/src/main.ts",
    effects: ["process", "time", "timers", "randomness"],
  },
  { path: "clients/examples/arbitrage-alerts/src/webhook/dead-letters.ts", effects: ["files"] },
  {
    path: "clients/examples/arbitrage-alerts/src/webhook/post.ts",
    effects: ["network", "timers"],
  },
  { path: "clients/examples/arbitrage-alerts/src/webhook/signature.ts", effects: ["randomness"] },
  { path: "clients/examples/plain-pages/event-source.js", effects: ["network", "page"] },
  { path: "clients/examples/plain-pages/page.js", effects: ["page"] },
  { path: "clients/examples/plain-pages/rows.js", effects: ["page"] },
  { path: "clients/examples/plain-pages/serve.js", effects: ["files", "network", "process"] },
  {
    path: "clients/examples/worker-thread/src/main.ts",
    effects: ["network", "process", "time"],
  },
  { path: "clients/examples/worker-thread/src/worker.ts", effects: ["network", "timers"] },
  { path: "clients/examples/react-hooks/src/main.tsx", effects: ["page"] },
  { path: "clients/examples/vue-app/src/main.ts", effects: ["page"] },
  { path: "clients/examples/recorder/src/main.ts", effects: ["process", "time", "timers"] },
  { path: "clients/examples/terminal-watcher/src/main.ts", effects: ["process", "timers"] },
  { path: "clients/examples/market-maker/src/main.ts", effects: ["process"] },
  { path: "clients/dashboard/src/dashboard.ts", effects: ["page"] },
  { path: "clients/dashboard/src/page/dom.ts", effects: ["page"] },
  { path: "clients/dashboard/src/page/shell.ts", effects: ["page"] },
  { path: "clients/dashboard/src/page/browser.ts", effects: ["page", "time", "timers"] },
  { path: "clients/typescript/src/host/environment.ts", effects: ["randomness", "timers", "page"] },
  { path: "clients/typescript/src/host/page-events.ts", effects: ["page"] },
  { path: "clients/typescript/src/host/next-frame.ts", effects: ["page"] },
  { path: "clients/typescript/src/shared-worker/connect-shared.ts", effects: ["page"] },
  { path: "clients/typescript/src/shared-worker/worker.ts", effects: ["page"] },
  { path: "clients/typescript/src/transports/http-host.ts", effects: ["network", "randomness"] },
  { path: "proto/breaking.mjs", effects: ["process", "loading"] },
  { path: "proto/generate.mjs", effects: ["process", "files", "loading"] },
  { path: "proto/vectors.mjs", effects: ["process", "files"] },
  // Delivery waits for the end of the turn; the bus is the only one to say when that is.
  { path: "services/bus/delivery-queue.ts", effects: ["timers"] },
  { path: "services/bus/memory-bus.ts", effects: ["timers"] },
  { path: "services/bus/threads/bus-host.ts", effects: ["timers"] },
  { path: "services/bus/threads/thread-bus.ts", effects: ["timers"] },
  { path: "services/bus/nats-bus.ts", effects: ["timers", "time"] },
  { path: "services/bus/jetstream-leases.ts", effects: ["timers"] },
  { path: "services/bus/nats-connection.ts", effects: ["randomness"] },
  { path: "clients/typescript/src/shared-worker/tab-queue.ts", effects: ["timers"] },
  // One request for all that is asked for in one turn: a microtask needs no clock.
  { path: "clients/typescript/src/opening/opening-topics.ts", effects: ["timers"] },
  { path: "clients/typescript/src/lite/lite-opening.ts", effects: ["timers"] },
  { path: "clients/typescript/src/lite/lite-topics.ts", effects: ["timers"] },
  { path: "clients/typescript/src/topics/subscriptions.ts", effects: ["timers"] },
  { path: "services/cli/commands/call-over-http.ts", effects: ["network", "timers"] },
  { path: "services/cli/commands/call.ts", effects: ["process"] },
  { path: "services/cli/commands/decode.ts", effects: ["process", "files"] },
  { path: "services/cli/commands/normalize.ts", effects: ["process"] },
  { path: "services/cli/commands/subscribe.ts", effects: ["process", "timers"] },
  { path: "services/cli/commands/completion.ts", effects: ["process"] },
  { path: "services/cli/commands/top.ts", effects: ["process", "files"] },
  { path: "services/cli/commands/watch.ts", effects: ["process"] },
  { path: "services/cli/recording/play-recording.ts", effects: ["files", "randomness", "timers"] },
  { path: "services/cli/recording/replay-recording.ts", effects: ["process"] },
  { path: "services/cli/recording/record-topics.ts", effects: ["process", "randomness", "timers"] },
  { path: "services/cli/main.ts", effects: ["process"] },
  { path: "services/cli/output/full-screen.ts", effects: ["process"] },
  { path: "services/cli/output/terminal.ts", effects: ["process"] },
  { path: "services/cli/process/admin-client.ts", effects: ["network", "timers"] },
  { path: "services/cli/process/capture-input.ts", effects: ["process", "files"] },
  { path: "services/cli/process/config-options.ts", effects: ["process", "files"] },
  { path: "services/cli/process/gateway-thread.ts", effects: ["network", "process"] },
  { path: "services/cli/process/gateway-threads.ts", effects: ["network"] },
  { path: "services/cli/process/listenable.ts", effects: ["network"] },
  { path: "services/cli/process/thread-cut.ts", effects: ["network"] },
  { path: "services/cli/process/open-browser.ts", effects: ["process"] },
  { path: "services/cli/process/open-bus.ts", effects: ["files", "randomness", "timers"] },
  { path: "services/cli/process/replay-service.ts", effects: ["randomness"] },
  { path: "services/cli/process/program-version.ts", effects: ["files"] },
  { path: "services/cli/commands/token.ts", effects: ["process", "files"] },
  { path: "services/cli/process/secret-files.ts", effects: ["files", "randomness"] },
  { path: "services/cli/process/service-process.ts", effects: ["process"] },
  { path: "services/cli/bundle.mjs", effects: ["process", "files", "time", "loading"] },
  { path: "services/cli/rehearsals.mjs", effects: ["process", "files", "timers"] },
  { path: "services/cli/write-whole.mjs", effects: ["process", "files"] },
  { path: "services/cli/rehearsal.mjs", effects: ["process"] },
  { path: "services/cli/compiled-program.mjs", effects: ["files", "loading"] },
  { path: "services/cli/tickwire.mjs", effects: ["process", "files", "loading"] },
  { path: "services/derive/main.ts", effects: ["randomness"] },
  { path: "services/gateway/http/streams/session-token.ts", effects: ["randomness"] },
  { path: "services/gateway/access/file-watch.ts", effects: ["files"] },
  { path: "services/gateway/access/key-set-fetch.ts", effects: ["network", "timers"] },
  { path: "services/gateway/http/page-folder.ts", effects: ["files"] },
  { path: "services/gateway/main.ts", effects: ["randomness"] },
  { path: "services/gateway/workers/gateway-workers.ts", effects: ["randomness"] },
  // The channels between threads, which no thread can be started without.
  { path: "services/gateway/workers/worker-place.ts", effects: ["network"] },
  { path: "services/gateway/turns/scheduler.ts", effects: ["timers"] },
  { path: "services/gateway/transport/handler-guard.ts", effects: ["timers"] },
  // Reads a certificate, for which the module of random numbers has the means.
  {
    path: "services/gateway/transport/tls-files.ts",
    effects: ["files", "network", "randomness"],
  },
  { path: "services/gateway/transport/node/tls.ts", effects: ["network"] },
  { path: "services/gateway/transport/housekeeping.ts", effects: ["time", "timers"] },
  { path: "services/gateway/transport/uws-module.ts", effects: ["process"] },
  { path: "services/ingest/capture/capture-file.ts", effects: ["files"] },
  { path: "services/ingest/capture/capture-reader.ts", effects: ["files"] },
  { path: "services/ingest/feed/network/venue-route.ts", effects: ["files"] },
  { path: "services/ingest/feed/rest/http-rest-client.ts", effects: ["network", "timers"] },
  { path: "services/ingest/main.ts", effects: ["randomness"] },
  { path: "services/ingest/turn-scheduler.ts", effects: ["timers"] },
  { path: "services/cli/commands/convert.ts", effects: ["process", "files"] },
  { path: "services/recording/export/csv-file.ts", effects: ["files"] },
  { path: "services/recording/export/table-export.ts", effects: ["files"] },
  { path: "services/recording/reading/block-reader.ts", effects: ["files"] },
  { path: "services/recording/reading/recording.ts", effects: ["files"] },
  { path: "services/recording/writing/recording-folder.ts", effects: ["files"] },
  { path: "services/runtime/admin-server.ts", effects: ["network"] },
  { path: "services/runtime/metrics.ts", effects: ["process"] },
  { path: "services/runtime/system-clock.ts", effects: ["time", "timers"] },
];

/** Effects outside the edge files. */
export function checkEffects(file: SourceFile, edges: readonly Edge[] = EDGES): string[] {
  if (!isCode(file.path) || !isShipped(file.path) || isGenerated(file.path)) return [];
  const edge = edges.find(({ path }) => path === file.path);
  return effectsIn(file)
    .filter(({ effect }) => edge === undefined || !edge.effects.includes(effect))
    .map(({ name, line }) => `${file.path}:${line} uses ${name}; take it as an argument`);
}

/** Edge files that are not there, and effects that they no longer have. */
export function findNeedlessEdges(
  files: readonly SourceFile[],
  edges: readonly Edge[] = EDGES,
): string[] {
  return edges.flatMap(({ path, effects }) => {
    const file = files.find((candidate) => candidate.path === path);
    if (file === undefined) return [`the edge file ${path} is not there`];
    const had = new Set(effectsIn(file).map(({ effect }) => effect));
    return effects
      .filter((effect) => !had.has(effect))
      .map((effect) => `the edge file ${path} is allowed ${effect}, but has none of it`);
  });
}

type FoundEffect = { readonly effect: Effect; readonly name: string; readonly line: number };

function effectsIn(file: SourceFile): FoundEffect[] {
  const found: FoundEffect[] = [];
  for (const use of globalsOf(file)) {
    const effect = effectOf(use);
    if (effect !== undefined) found.push({ effect, name: use.name, line: use.line });
  }
  for (const { specifier, line, names, isType } of referencesOf(file)) {
    const name = resolveSpecifier(file.path, specifier ?? "").packageName ?? "";
    const effect = MODULES[name];
    const isPure = isType || (names.length > 0 && names.every((one) => PURE_IN_NODE.test(one)));
    if (effect !== undefined && !isPure) found.push({ effect, name, line });
  }
  return found;
}

function effectOf({ name, constructedFrom }: GlobalUse): Effect | undefined {
  if (PURE.test(name) || (name === "Date" && constructedFrom)) return undefined;
  const [root = ""] = name.split(".");
  return Object.hasOwn(GLOBALS, name) ? GLOBALS[name] : ownEffect(root);
}

function ownEffect(root: string): Effect | undefined {
  return Object.hasOwn(GLOBALS, root) ? GLOBALS[root] : undefined;
}
