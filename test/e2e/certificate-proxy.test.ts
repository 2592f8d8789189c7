// A real nginx verifies the certificates of clients and names them in a header, as docs/access.md
// says, in front of both transports. Whoever writes the header himself is nobody.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { makeCertificates } from "#test/support/certificates.ts";
import { requireNginx, startNginx } from "#test/support/nginx.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

const { ClientFrame, ServerFrame } = tickwire.v1;
const CALL = "/tickwire.v1.MarketData/GetServerTime";
const HEADER = "x-client-subject";

/** The lines of docs/access.md. */
function documented(): string {
  const page = readFileSync(join(import.meta.dirname, "../../docs/access.md"), "utf8");
  const lines = /```nginx\n([^]*?)```/.exec(page)?.[1];
  if (lines === undefined) throw new Error("docs/access.md shows no nginx");
  return lines;
}

describe.skipIf(requireNginx() === undefined).each(TRANSPORTS)("in front of %s", (transport) => {
  let folder: string;
  let rig: Rig;
  let nginx: Awaited<ReturnType<typeof startNginx>>;
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tickwire-nginx-"));
    makeCertificates(folder);
    const file = join(folder, "access.json");
    // Only one of the two that the authority knows is somebody here.
    writeFileSync(file, JSON.stringify({ certificates: [{ name: "CN=client", roles: ["all"] }] }));
    rig = await Rig.start(transport, {
      config: {
        trustedProxies: ["127.0.0.1/32"],
        access: { file, certificateHeader: HEADER },
      },
    });
    const lines = documented()
      .replaceAll("/etc/nginx/clients-ca.pem", join(folder, "ca.crt"))
      .replaceAll("127.0.0.1:8080", `127.0.0.1:${rig.gateway.port}`);
    nginx = await startNginx(folder, {
      listens: "ssl",
      server: `ssl_certificate ${folder}/server.crt; ssl_certificate_key ${folder}/server.key;
    ${lines}`,
    });
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.terminate();
  });

  afterAll(async () => {
    await nginx.close();
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  const tls = (name: string | undefined) => ({
    ca: readFileSync(join(folder, "ca.crt")),
    ...(name === undefined
      ? {}
      : {
          cert: readFileSync(join(folder, `${name}.crt`)),
          key: readFileSync(join(folder, `${name}.key`)),
        }),
  });

  async function call(name: string | undefined, headers: Record<string, string> = {}) {
    const url = `https://127.0.0.1:${nginx.port}${CALL}`;
    const type = { "content-type": "application/json" };
    const asked = request(url, {
      method: "POST",
      agent: false,
      headers: { ...type, ...headers },
      ...tls(name),
    });
    asked.end("{}");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  /** As whom the gateway knows the client, or the code with which it was closed. */
  async function enter(url: string, headers: Record<string, string>, name?: string) {
    const socket = new WebSocket(url, ["tickwire.v1"], { headers, ...tls(name) });
    sockets.push(socket);
    await once(socket, "open");
    socket.send(ClientFrame.encode({ messages: [{ hello: { protocolVersion: 1 } }] }).finish());
    return new Promise<string | number>((resolve) => {
      socket.on("close", (code) => resolve(code));
      socket.on("message", (data: Buffer) => {
        for (const { access } of ServerFrame.decode(data).messages) {
          if (access) resolve(access.principal ?? "");
        }
      });
    });
  }

  const viaNginx = () => `wss://127.0.0.1:${nginx.port}/v1/ws`;

  test("a client is who its certificate says, by calls and by WebSocket", async () => {
    expect(await call("client")).toBe(200);
    expect(await enter(viaNginx(), {}, "client")).toBe("certificate:CN=client");
    // It was verified, and nobody gave it a role.
    expect(await call("stranger")).toBe(401);
    expect(await call(undefined)).toBe(401);
    expect(await enter(viaNginx(), {})).toBe(4504);
  });

  test.each([HEADER, "X-Client-Subject", "X_Client_Subject"])(
    "a client that writes %s itself is nobody, or who its certificate says",
    async (header) => {
      const forged = { [header]: "CN=client" };
      expect(await call(undefined, forged)).toBe(401);
      expect(await call("stranger", forged)).toBe(401);
      expect(await enter(viaNginx(), forged)).toBe(4504);
      expect(await call("client", { [header]: "CN=nobody" })).toBe(200);
    },
  );
});

test.each(TRANSPORTS)(
  "over %s the header of whoever is no trusted proxy means nothing",
  async (transport) => {
    const folder = mkdtempSync(join(tmpdir(), "tickwire-header-"));
    const file = join(folder, "access.json");
    writeFileSync(file, JSON.stringify({ certificates: [{ name: "CN=client", roles: ["all"] }] }));
    for (const [trustedProxies, status] of [
      [["10.0.0.0/8"], 401],
      [["127.0.0.1"], 200],
    ] as const) {
      const access = { file, certificateHeader: HEADER };
      const config = { trustedProxies: [...trustedProxies], access };
      const rig = await Rig.start(transport, { config });
      const headers = { "content-type": "application/json", [HEADER]: "CN=client" };
      const answer = await fetch(`${rig.url}${CALL}`, { method: "POST", headers, body: "{}" });
      expect(answer.status).toBe(status);
      await answer.arrayBuffer();
      await rig.stop();
    }
    rmSync(folder, { recursive: true });
  },
);
