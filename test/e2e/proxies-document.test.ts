// The nginx of docs/proxies.md, as it stands there: every transport gets through, and what the
// page says of names and pages is so.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@tickwire/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificates } from "#test/support/certificates.ts";
import { requireNginx, startNginx } from "#test/support/nginx.ts";
import { killAll, runCli, startCli } from "./cli-process.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/proxies.md"), "utf8");
const TOPIC = "simulated:BTC-USD/quotes";
const folder = mkdtempSync(join(tmpdir(), "tickwire-proxies-"));

function documented(language: string): string {
  const text = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(PAGE)?.[1];
  if (text === undefined) throw new Error(`docs/proxies.md shows no ${language}`);
  return text;
}

async function startDev(more: readonly string[]): Promise<string> {
  const args = ["dev", "--json", "--port", "0", "--admin-port", "0", ...more];
  const cli = startCli(args);
  const [, port = ""] = await cli.waitFor("stdout", /"url":"http:\/\/127\.0\.0\.1:(\d+)\//);
  return port;
}

const settings = (...texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => ["--set", text]);

afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(requireNginx() === undefined)("behind the nginx of the page", () => {
  let nginx: Awaited<ReturnType<typeof startNginx>>;

  beforeAll(async () => {
    const port = await startDev(
      settings(
        "gateway.hosts=md.example.com",
        "gateway.origins=https://md.example.com",
        "gateway.trustedProxies=127.0.0.1/32",
      ),
    );
    const server = documented("nginx").replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`);
    nginx = await startNginx(folder, { server });
  });
  afterAll(() => nginx.close());

  const fetchAs = (path: string, headers: Readonly<Record<string, string>>) =>
    fetch(`http://127.0.0.1:${nginx.port}${path}`, { headers });

  test.each(["websocket", "sse", "poll"] as const)("a client comes by %s", async (transport) => {
    const client = await connect(`http://127.0.0.1:${nginx.port}`, { transport });
    try {
      const quotes = client.quotes("simulated:BTC-USD");
      let count = 0;
      for await (const quote of quotes) {
        expect(quote.symbol).toBe("BTC-USD");
        count += 1;
        if (count === 2) break;
      }
    } finally {
      client.close();
    }
  });

  test("pages of its own name may use it, others may not", async () => {
    const path = `/v1/poll?topics=${TOPIC}`;
    const own = await fetchAs(path, { origin: "https://md.example.com" });
    expect(own.status).toBe(200);
    const other = await fetchAs(path, { origin: "https://elsewhere.example" });
    expect(other.status).toBe(403);
  });
});

test("with the gateway's own TLS, the command of the page prints trades", async () => {
  makeCertificates(folder);
  const certificate = join(folder, "server.crt");
  const files = [`certFile=${certificate}`, `keyFile=${join(folder, "server.key")}`];
  const args = settings(...files.map((text) => `gateway.tls.${text}`));
  const cli = startCli(["dev", "--port", "0", "--admin-port", "0", ...args]);
  const [, url = ""] = await cli.waitFor("stdout", /open (https:\S+) in a browser/);
  const subscribe = ["subscribe", "simulated:BTC-USD/quotes", "--count", "3"];
  const { status, stdout } = await runCli([...subscribe, "--url", url], {
    environment: { NODE_EXTRA_CA_CERTS: join(folder, "ca.crt") },
  });
  expect(status).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(3);
});
