/**
 * RFC 6455 and RFC 7692 as the Autobahn test suite sees them, over an echo on each transport. The
 * suite runs on Python 2.7; AUTOBAHN_TESTSUITE names the folder that it is installed in. The short
 * groups run by default, AUTOBAHN_CASES=all brings the long ones (`npm run test:autobahn`), and
 * AUTOBAHN_CASES=9.3.*,13.1.1 brings those.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { TransportHandler } from "#gateway/transport/transport.ts";
import { loadUws } from "#gateway/transport/uws-module.ts";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { OPTIONS } from "./transport-stand.ts";

const SUITE = process.env["AUTOBAHN_TESTSUITE"];
const WANTED = process.env["AUTOBAHN_CASES"];
const PYTHON = process.env["AUTOBAHN_PYTHON"] ?? "python2.7";

/** Limits and mass in group 9, compression in 12 and 13: minutes each. */
const SHORT = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

/** What a transport does not pass, with the reason in SECURITY.md. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  uws: [],
  // 4 MiB in more than the 16,384 fragments that `ws` takes.
  node: ["9.3.1", "9.3.2", "9.4.1", "9.4.2"],
};

/** Offers that limit our window, which are declined: SECURITY.md has why. */
const DECLINED = ["13.3", "13.4", "13.5", "13.6"];

/** Gateways send binary messages only, an echo has to send text as text: set before each send. */
let echoesText = false;

/** Makes both libraries send what the echo sends in the type that came. */
async function sendAsReceived(): Promise<void> {
  // oxlint-disable-next-line typescript/unbound-method -- called with its socket below
  const sendNode = WebSocket.prototype.send as (...args: unknown[]) => void;
  WebSocket.prototype.send = function send(this: WebSocket, data: unknown, options: object, done) {
    sendNode.call(this, data, { ...options, binary: !echoesText }, done);
  } as typeof sendNode;
  const uws = await loadUws();
  const App = uws.App;
  uws.App = (options) => {
    const app = options === undefined ? App() : App(options);
    const serve = app.ws.bind(app);
    app.ws = ((path: string, behavior: { open: (ws: object) => void }) => {
      const { open } = behavior;
      behavior.open = (ws) => {
        const socket = ws as { send(data: unknown, isBinary: boolean, compress: boolean): number };
        const sendUws = socket.send.bind(socket);
        socket.send = (data, _, compress) => sendUws(data, !echoesText, compress);
        open(ws);
      };
      return serve(path, behavior as never);
    }) as typeof app.ws;
    return app;
  };
}

const ECHO: TransportHandler<undefined> = {
  onUpgrade: ({ remoteAddress }) => ({
    kind: "accept",
    context: { principal: undefined, remoteAddress, subprotocol: "echo" },
  }),
  onRefused: () => {},
  onConnection: (connection) => ({
    onMessage: (data, isBinary) => {
      echoesText = !isBinary;
      connection.send(data, connection.compressionNegotiated);
    },
    onPong: () => {},
    onDrain: () => {},
    onClose: () => {},
  }),
  onHttp: () => Promise.resolve({ status: 200, headers: {}, body: "" }),
};

type Verdict = { readonly behavior: string; readonly behaviorClose: string };

async function run(name: string, port: number, folder: string): Promise<Map<string, Verdict>> {
  const spec = join(folder, "spec.json");
  const server = { agent: name, url: `ws://127.0.0.1:${port}/v1/ws`, protocols: ["echo"] };
  const cases = WANTED === "all" ? ["*"] : (WANTED?.split(",") ?? SHORT);
  const text = { outdir: folder, servers: [server], cases, "exclude-cases": [] };
  writeFileSync(spec, JSON.stringify({ ...text, "exclude-agent-cases": {} }));
  const code = "from autobahntestsuite import wstest; wstest.run()";
  const child = spawn(PYTHON, ["-c", code, "-m", "fuzzingclient", "-s", spec], {
    env: { ...process.env, PYTHONPATH: SUITE },
    stdio: "ignore",
    cwd: folder,
  });
  await once(child, "exit");
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Record<
    string,
    Record<string, Verdict>
  >;
  return new Map(Object.entries(index[name] ?? {}));
}

test.skipIf(SUITE === undefined).each(TRANSPORT_FACTORIES)(
  "Autobahn finds nothing wrong over %s",
  { timeout: 3_600_000 },
  async (name, create) => {
    await sendAsReceived();
    const mebibytes = 32 * 1024 * 1024;
    const sizes = { messageBytesMax: mebibytes, bufferedBytesMax: 2 * mebibytes };
    const transport = await create({ ...OPTIONS, ...sizes }, ECHO);
    const folder = mkdtempSync(join(tmpdir(), "tickwire-autobahn-"));
    try {
      const verdicts = await run(name, transport.port, folder);
      const count = (behavior: string) =>
        [...verdicts.values()].filter((verdict) => verdict.behavior === behavior).length;
      const kinds = ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"];
      const told = kinds.map((kind) => `${count(kind)} ${kind}`).join(", ");
      process.stdout.write(`Autobahn over ${name}: ${verdicts.size} cases, ${told}\n`);
      const declined = [...verdicts]
        .filter(([, { behavior }]) => behavior === "UNIMPLEMENTED")
        .map(([id]) => id.split(".").slice(0, 2).join("."));
      expect(declined.filter((group) => !DECLINED.includes(group))).toEqual([]);
      const failed = [...verdicts]
        .filter(([, { behavior }]) => behavior === "FAILED" || behavior === "WRONG CODE")
        .map(([id]) => id);
      const least = WANTED === undefined ? 240 : WANTED === "all" ? 500 : 0;
      expect(verdicts.size).toBeGreaterThan(least);
      expect(failed.filter((id) => KNOWN[name]?.includes(id) !== true)).toEqual([]);
    } finally {
      await transport.close();
      rmSync(folder, { recursive: true });
    }
  },
);
