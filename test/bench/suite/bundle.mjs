// Bytes of clients in a web page that streams trades, bundled and minified by vite and compressed
// by gzip: what the page loads at start. They are the same on every machine.
import { join } from "node:path";
import { CLIENT_PAGES, bundleForBrowser, transferSizes } from "../../support/client-bundle.mjs";
import { row } from "./measure.mjs";
import { installedFolder, isInstalled } from "./references/installed.mjs";

const TARGETS = { everything: "<= 14", "ticks only": "<= 8" };

const REFERENCE = "centrifuge-js, protobuf";

/** Subscribes to one channel. */
const centrifugePage = (module) => `
  import { Centrifuge } from ${JSON.stringify(module)};
  const client = new Centrifuge(location.origin.replace("http", "ws"));
  const trades = client.newSubscription("binance:BTC-USDT");
  trades.on("publication", ({ data }) => { document.title = data.price; });
  trades.subscribe();
  client.connect();
`;

/** Pages of others by what they use. */
function centrifugePages({ quick }) {
  if (!isInstalled("centrifuge", { quick })) return {};
  const folder = installedFolder("centrifuge");
  return {
    "centrifuge-js, JSON": centrifugePage(join(folder, "build/index.js")),
    [REFERENCE]: centrifugePage(join(folder, "build/protobuf/index.js")),
  };
}

export const about = "bytes that a page loads at start, compressed, beside another client";

export async function run({ quick, only = "" }) {
  const pages = { ...CLIENT_PAGES, ...centrifugePages({ quick }) };
  const bytes = new Map();
  for (const [name, source] of Object.entries(pages)) {
    if (!name.includes(only)) continue;
    const { chunks } = await bundleForBrowser(source);
    const { gzipBytes } = transferSizes(...chunks.map(({ code }) => code));
    bytes.set(name, [gzipBytes / 1_000]);
  }
  const reference = bytes.get(REFERENCE);
  return [...bytes].map(([name, kilobytes]) =>
    row("at start", name, "KB gzip", kilobytes, {
      ...(name === REFERENCE || reference === undefined ? {} : { reference }),
      target: TARGETS[name],
    }),
  );
}
