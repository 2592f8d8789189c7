// How a venue is reached: straight, from a source address, through a real HTTP and a real SOCKS
// proxy. Each proxy leaves from a loopback address of its own, so that the venue sees which way was
// taken.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { gzipSync } from "node:zlib";
import {
  createWebSocketDialer,
  WEB_SOCKET_DIALER_DEFAULTS,
} from "#ingest/feed/connection/web-socket-dialer.ts";
import { createVenueRoute } from "#ingest/feed/network/venue-route.ts";
import { createHttpRestClient } from "#ingest/feed/rest/http-rest-client.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { makeCertificates } from "#test/support/certificates.ts";
import { endProgram, freePort, requireProgram, startProgram } from "#test/support/local-server.ts";

const VIA_HTTP = "127.0.0.3";
const VIA_SOCKS = "127.0.0.4";
const LOGIN = "user:a.word";

const tinyproxy = requireProgram("tinyproxy");
const microsocks = requireProgram("microsocks");
const missing = tinyproxy === undefined || microsocks === undefined;

const cleanups: (() => Promise<void> | void)[] = [];
let folder: string;
let caFile: string;
let venuePort: number;
let httpProxy: string;
let socksProxy: string;

/** Whether something takes connections there. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", answer(true));
    socket.once("error", answer(false));
  });
}

async function startProxy(binary: string, args: readonly string[], port: number): Promise<void> {
  const child = await startProgram(binary, args, () => accepts(port));
  cleanups.push(() => endProgram(child));
}

/** A venue with TLS that tells everybody the address that it sees. */
async function startVenue(): Promise<number> {
  const key = readFileSync(join(folder, "server.key"));
  const cert = readFileSync(join(folder, "server.crt"));
  const server = createServer({ key, cert }, (request, response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync(`rest ${request.socket.remoteAddress}`));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    socket.send(`socket ${request.socket.remoteAddress}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  if (tinyproxy === undefined || microsocks === undefined) return;
  folder = mkdtempSync(join(tmpdir(), "outgoing-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  makeCertificates(folder);
  caFile = join(folder, "ca.crt");
  venuePort = await startVenue();
  const httpPort = await freePort();
  const settings = join(folder, "tinyproxy.conf");
  writeFileSync(
    settings,
    `Port ${httpPort}\nListen 127.0.0.1\nBind ${VIA_HTTP}\nBasicAuth user a.word\n`,
  );
  await startProxy(tinyproxy, ["-d", "-c", settings], httpPort);
  httpProxy = `http://${LOGIN}@127.0.0.1:${httpPort}`;
  const socksPort = await freePort();
  const login = ["-u", "user", "-P", "a.word"];
  const address = ["-i", "127.0.0.1", "-p", String(socksPort), "-b", VIA_SOCKS];
  await startProxy(microsocks, [...address, ...login], socksPort);
  socksProxy = `socks5h://${LOGIN}@127.0.0.1:${socksPort}`;
});

afterEach(() => vi.unstubAllEnvs());

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** What the venue sees of both kinds of connection, or why there is none. */
async function reach(options: Parameters<typeof createVenueRoute>[0]): Promise<string[]> {
  const route = createVenueRoute(options);
  const rest = createHttpRestClient({
    clock: new SystemClock(),
    timeoutMs: 20_000,
    bodyBytesMax: 1_000,
    route,
  });
  const url = `https://127.0.0.1:${venuePort}/list`;
  const body = new Promise<string>((resolve) =>
    rest.get({ url, weight: 1 }, (answer) => resolve(answer.body), resolve),
  );
  const dialer = createWebSocketDialer({ ...WEB_SOCKET_DIALER_DEFAULTS, route });
  const frame = new Promise<string>((resolve) => {
    const socket = dialer.dial(
      `wss://127.0.0.1:${venuePort}/stream`,
      {
        onOpen: () => {},
        onFrame: (text) => {
          resolve(String(text));
          socket.terminate();
        },
        onError: resolve,
        onClose: () => resolve("closed"),
      },
      { frameBytesMax: 1_000 },
    );
  });
  return Promise.all([body, frame]);
}

const seenFrom = (address: string) => [`rest ${address}`, `socket ${address}`];

describe.skipIf(missing)("a venue is reached", () => {
  test("straight, where nothing is said", async () => {
    expect(await reach({ tlsCaFile: caFile })).toEqual(seenFrom("127.0.0.1"));
  });

  test("from the source address", async () => {
    const options = { tlsCaFile: caFile, sourceAddress: "127.0.0.5" };
    expect(await reach(options)).toEqual(seenFrom("127.0.0.5"));
  });

  test("through an HTTP proxy with a password", async () => {
    expect(await reach({ tlsCaFile: caFile, proxy: httpProxy })).toEqual(seenFrom(VIA_HTTP));
  });

  test("through a SOCKS proxy with a password", async () => {
    expect(await reach({ tlsCaFile: caFile, proxy: socksProxy })).toEqual(seenFrom(VIA_SOCKS));
  });

  test("through the proxy of the environment, but for hosts that it leaves out", async () => {
    vi.stubEnv("HTTPS_PROXY", httpProxy);
    expect(await reach({ tlsCaFile: caFile })).toEqual(seenFrom(VIA_HTTP));
    expect(await reach({ tlsCaFile: caFile, proxy: socksProxy })).toEqual(seenFrom(VIA_SOCKS));
    expect(await reach({ tlsCaFile: caFile, proxy: "direct" })).toEqual(seenFrom("127.0.0.1"));
    vi.stubEnv("NO_PROXY", "127.0.0.1");
    expect(await reach({ tlsCaFile: caFile })).toEqual(seenFrom("127.0.0.1"));
  });

  test("by nobody who does not trust its certificate", async () => {
    for (const proxy of ["direct", httpProxy, socksProxy]) {
      for (const reason of await reach({ proxy })) expect(reason).toMatch(/certificate/);
    }
  });

  test("not at all if the proxy refuses, and the reason is not taken for the venue's", async () => {
    const stranger = httpProxy.replace(LOGIN, "user:guess");
    for (const reason of await reach({ tlsCaFile: caFile, proxy: stranger })) {
      expect(reason).toMatch(/^the proxy answered 40[17]$/);
    }
    const wrong = socksProxy.replace(LOGIN, "user:guess");
    for (const reason of await reach({ tlsCaFile: caFile, proxy: wrong })) {
      expect(reason).toMatch(/socks/i);
      expect(reason).not.toContain("guess");
    }
  });

  test("not at all if the proxy is not there", async () => {
    const port = await freePort();
    for (const proxy of [`http://127.0.0.1:${port}`, `socks5://127.0.0.1:${port}`]) {
      for (const reason of await reach({ tlsCaFile: caFile, proxy })) {
        expect(reason).toMatch(/ECONNREFUSED/);
      }
    }
  });
});
