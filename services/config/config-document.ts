import { simulatedSchema } from "#ingest/simulated/simulated-settings.ts";
import { configSchema } from "./config.ts";
import { listVariables, type ConfigVariable } from "./config-variables.ts";
import { formatMarkdownTable } from "./markdown-table.ts";

const INTRODUCTION = `# Configuration

Every process reads one tree of settings and uses its part: \`bus\`, \`streamLog\`, \`ingest\`, \`derive\`, \`gateway\`,
\`admin\`, \`log\` and \`shutdown\`. Later sources win:

1. the defaults below (\`dev\` and \`record --raw\` prefer the memory bus and the log level \`warn\`; a gateway
   prefers the admin port 9091, \`derive\` 9093, \`dev\` a free one);
2. a JSON file, only if \`--config FILE\` names one: \`{ "gateway": { "port": 9000 } }\`;
3. environment variables: \`TICKWIRE_GATEWAY__PORT=9000\`;
4. flags: \`--set gateway.port=9000\` for any key, and named ones such as \`--port\` where \`--help\` lists them.

Objects merge by key, lists are replaced. In variables and \`--set\`, a list of plain values is
written \`a,b\`; other lists and objects are JSON. The whole is checked before anything listens or
connects: every bad key is named at once with where it came from, an unknown \`TICKWIRE_\` variable
among them, and the program exits with 2.

Exit codes of every command: 0 done, 1 could not be done, 2 wrong usage or configuration, 130 forced
by a second signal.
`;

const VENUES = `
Each entry of \`ingest.venues\` has an \`id\` and, where the defaults do not suit: \`instruments\` (by
Tickwire's symbol or the venue's; none means all), \`channels\`, \`bookDepth\`,
\`silenceMsMax\` (milliseconds by channel, such as \`{"book": 30000}\`), and \`endpoints\` in
place of the venue's own addresses, for a test venue: \`webSocket\` and \`rest\`, and
\`derivativesWebSocket\` and \`derivativesRest\` where the venue serves derivatives from hosts of
their own. For Binance the paths of its API are put behind an address; for Coinbase and Kraken
\`webSocket\` is the whole one, path included.
\`ws://\` and \`http://\` work as well as their encrypted forms:

\`\`\`json
{
  "ingest": {
    "venues": [
      {
        "id": "binance",
        "instruments": ["BTC-USDT", "ETHUSDT"],
        "channels": ["trades", "book"],
        "bookDepth": 1000,
        "endpoints": { "webSocket": "ws://127.0.0.1:9001", "rest": "http://127.0.0.1:9002" }
      }
    ]
  }
}
\`\`\`

\`network\` says how a venue is reached: \`proxy\` is the URL of an HTTP or SOCKS proxy
(\`http://user:password@10.0.0.1:3128\`, \`socks5h://10.0.0.1:1080\`), or \`direct\`;
\`tlsCaFile\` a PEM file of the authorities to trust, for a proxy that opens TLS; \`sourceAddress\` the
local address that connections leave from. Without a \`proxy\`, \`HTTPS_PROXY\`, \`HTTP_PROXY\`,
\`ALL_PROXY\` and \`NO_PROXY\` of the environment decide by host, for WebSockets and REST alike.
`;

const SIMULATED = `
The simulated venue's entry takes \`simulated\`, which says what its market is like:
\`{"id":"simulated","simulated":{"seed":7,"instruments":50,"eventsPerSecond":100}}\`. The same seed
and settings give the same market. Prices go through quiet, normal, trending and volatile times and
short bursts; the other instruments follow the first (BTC-USD) in part, and perpetuals their spot
market, with funding, mark price, open interest and liquidations.

`;

const HEADER = ["key", "variable", "takes", "default", "what"];

/**
 * The text of docs/configuration.md: every setting with its variable, type, default and meaning.
 */
export function configurationDocument(): string {
  const sections = new Map<string, ConfigVariable[]>();
  for (const variable of listVariables(configSchema)) {
    const name = variable.path[0] ?? "";
    sections.set(name, [...(sections.get(name) ?? []), variable]);
  }
  const tables = [...sections].map(
    ([name, variables]) =>
      `\n## ${name}\n\n${formatMarkdownTable([HEADER, ...variables.map(cellsOf)])}` +
      (name === "ingest" ? VENUES + SIMULATED + simulatedTable() : ""),
  );
  return INTRODUCTION + tables.join("");
}

function simulatedTable(): string {
  const rows = listVariables(simulatedSchema).map((variable) => {
    const [key, , type, fallback, doc] = cellsOf(variable);
    return [key ?? "", type ?? "", fallback ?? "", doc ?? ""];
  });
  return formatMarkdownTable([["key", "takes", "default", "what"], ...rows]);
}

function cellsOf({ key, variable, type, defaultText, doc }: ConfigVariable): string[] {
  const fallback = defaultText === undefined ? "" : `\`${defaultText.replaceAll("|", "\\|")}\``;
  return [`\`${key}\``, `\`${variable}\``, type, fallback, doc];
}
