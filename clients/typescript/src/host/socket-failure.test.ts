import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createStreamsConnect } from "../streams-connect.ts";
import { createClient } from "../eager-client.ts";
import { nodeSockets } from "./node-web-socket.ts";
import { explainRefusal, explainSocketFailure } from "./socket-failure.ts";

const connect = createStreamsConnect(createClient, nodeSockets);
const servers: { close(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Pick<Server, "listen" | "address" | "close">): Promise<number> {
  servers.push(server);
  const listening = once(server as Server, "listening");
  server.listen(0, "127.0.0.1");
  await listening;
  return (server.address() as AddressInfo).port;
}

/** A server that answers every upgrade with this, and has nothing else either. */
function refusing(status: number, headers: Record<string, string>, body: string): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on("upgrade", (_request, socket) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.end([`HTTP/1.1 ${status} x`, ...lines, "connection: close", "", body].join("\r\n"));
  });
  return portOf(server);
}

function withCode(code: string, message = ""): Error {
  return Object.assign(new Error(message), { code });
}

const WHERE = "../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n";

describe("a connection that cannot be made", () => {
  test("says which path was tried, and what the gateway says about it", async () => {
    const body = '{"code":"not_found","message":"there is no WebSocket at /md/v1/ws"}';
    const port = await refusing(404, { "content-type": "application/json" }, body);
    const where = `cannot reach ws://127.0.0.1:${port}/md/v1/ws`;
    await expect(connect(`http://127.0.0.1:${port}/md`)).rejects.toMatchObject({
      code: "connect-failed",
      message: `${where}: the server answered 404 at the path /md/v1/ws: there is no WebSocket at /md/v1/ws`,
    });
  });

  test("says where a server points to, and does not follow", async () => {
    const port = await refusing(301, { location: "https://elsewhere/md" }, "");
    await expect(connect(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
      message: expect.stringMatching(
        /answered 301 at the path \/v1\/ws, and points to https:\/\/elsewhere\/md$/,
      ),
    });
  });

  test("says that nothing listens", async () => {
    const server = createTcpServer();
    const port = await portOf(server as never);
    server.close();
    await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      message: `cannot reach ws://127.0.0.1:${port}/v1/ws: nothing listens there (ECONNREFUSED)`,
    });
  });

  test("says that a server does not speak TLS", async () => {
    const port = await portOf(createServer());
    await expect(connect(`wss://127.0.0.1:${port}`)).rejects.toMatchObject({
      message: expect.stringMatching(/it does not speak TLS there; write http: or ws:/),
    });
  });

  test.each([
    [withCode("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"), /vouches for itself/],
    [withCode("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /an issuer that this machine does not know/],
    [withCode("CERT_HAS_EXPIRED"), /has expired \(CERT_HAS_EXPIRED\)$/],
    [withCode("ERR_TLS_CERT_ALTNAME_INVALID"), /for another name/],
    [
      withCode(
        "EPROTO",
        `write EPROTO 80CC:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:${WHERE}`,
      ),
      /^the TLS handshake failed \(sslv3 alert handshake failure\)$/,
    ],
    [
      withCode(
        "EPROTO",
        `80CC:error:0A00045C:SSL routines:f:tlsv13 alert certificate required:${WHERE}`,
      ),
      /does not accept this program without a certificate/,
    ],
    [
      withCode("EPROTO", `80CC:error:0A000102:SSL routines:f:unsupported protocol:${WHERE}`),
      /no version of TLS/,
    ],
    [new Error("something else"), /^something else$/],
    [withCode("EWHATEVER"), /^EWHATEVER$/],
  ])("says %s as a sentence", (error, sentence) => {
    expect(explainSocketFailure(error)).toMatch(sentence);
  });

  test.each([
    ["", "the server answered 404 at the path /x: there is no WebSocket of a gateway"],
    ["<html>", "the server answered 404 at the path /x: there is no WebSocket of a gateway"],
    ["null", "the server answered 404 at the path /x: there is no WebSocket of a gateway"],
    ['{"message":"a\\u001b[31m\\u202eb"}', "the server answered 404 at the path /x: a [31m b"],
    [
      `{"message":"${"a".repeat(999)}"}`,
      `the server answered 404 at the path /x: ${"a".repeat(200)}`,
    ],
  ])("of the answer %j says what can be said", (body, sentence) => {
    expect(explainRefusal({ status: 404, path: "/x", location: undefined, body })).toBe(sentence);
  });
});
