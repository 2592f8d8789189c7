import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { HttpResponse } from "#gateway/transport/transport.ts";
import { makeCertificates } from "#test/support/certificates.ts";
import { TransportStand } from "./transport-stand.ts";
import type { CreateTransport } from "./transport-stand.ts";

const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;
if (!HAS_OPENSSL) process.stdout.write("SKIPPED: transports with TLS; there is no openssl\n");

/** As OpenSSL words it, or the socket that it closes. */
const REFUSED = /certificate|alert|hang up|ECONNRESET|EPIPE/;

/** What both transports promise with TLS; its certificates are made when it runs. */
export function transportTlsSuite(name: string, create: CreateTransport): void {
  describe.skipIf(!HAS_OPENSSL)(`${name} transport, TLS`, () => {
    const stand = new TransportStand(create);
    let folder = "";
    const file = (leaf: string) => joinPath(folder, leaf);
    beforeAll(() => {
      folder = mkdtempSync(joinPath(tmpdir(), "tickwire-tls-"));
      makeCertificate(folder, "server");
      makeCertificate(folder, "other", "tick tock");
      makeCertificate(folder, "other-self");
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    afterEach(() => stand.stop());

    const tls = () => ({ certFile: file("server.crt"), keyFile: file("server.key") });
    const ca = (leaf = "server.crt") => readFileSync(file(leaf), "utf8");

    async function fetchText(port: number, authority: string): Promise<string> {
      const request = get({ host: "127.0.0.1", port, ca: authority });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    }

    test("serves WebSockets and HTTP with the certificate of the files", async () => {
      const started = await stand.start({ tls: tls() });
      const { ws, messages, seen } = await stand.join(started, false, { ca: ca() });
      ws.send("in");
      await seen.until(() => seen.messages.length === 1);
      seen.connection.send(Buffer.alloc(100_000, 7), false);
      while (messages.length < 1) await once(ws, "message");
      expect(messages[0]).toEqual(Buffer.alloc(100_000, 7));
      expect(seen.connection.remoteAddress).toBe("127.0.0.1");
      expect(await fetchText(started.transport.port, ca())).toBe("GET 0");
    });

    test("streams bodies", async () => {
      const started = await stand.start({ tls: tls() });
      started.recorder.answer = (): Promise<HttpResponse> => {
        const open = (writer: { write(chunk: Uint8Array): unknown; end(): void }) => {
          for (let index = 0; index < 10; index += 1) writer.write(Buffer.alloc(50_000, 97));
          writer.end();
          return { onDrain: () => {}, onClose: () => {} };
        };
        return Promise.resolve({ status: 200, headers: {}, body: { open } });
      };
      expect(await fetchText(started.transport.port, ca())).toBe("a".repeat(500_000));
    });

    test("reads an encrypted key with its passphrase, and not without", async () => {
      const other = { certFile: file("other.crt"), keyFile: file("other.key") };
      const started = await stand.start({ tls: { ...other, passphrase: "tick tock" } });
      expect(await fetchText(started.transport.port, ca("other.crt"))).toBe("GET 0");
      await expect(stand.start({ tls: other })).rejects.toThrow("tls: ");
    });

    /** The common name of the certificate that a new connection gets. */
    async function newcomerSees(port: number): Promise<string> {
      const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { issuer, serialNumber } = socket.getPeerCertificate();
      expect(issuer).toBeDefined();
      socket.destroy();
      return serialNumber;
    }

    /** Puts the pair into the place of the one that is served. */
    function place(leaf: string): void {
      for (const kind of ["crt", "key"]) copyFileSync(file(`${leaf}.${kind}`), file(`now.${kind}`));
    }

    test("takes another certificate for newcomers, and loses nobody who is there", async () => {
      for (const leaf of ["first", "second", "third"]) makeCertificate(folder, leaf);
      place("first");
      const now = { certFile: file("now.crt"), keyFile: file("now.key") };
      const started = await stand.start({ tls: now });
      const { port } = started.transport;
      const serials = [await newcomerSees(port)];
      const clients = [await stand.join(started, false, { ca: ca("first.crt") })];
      for (const leaf of ["second", "third"]) {
        place(leaf);
        started.transport.reloadTls();
        serials.push(await newcomerSees(port));
        clients.push(await stand.join(started, false, { ca: ca(`${leaf}.crt`) }));
        expect(await fetchText(port, ca(`${leaf}.crt`))).toBe("GET 0");
      }
      expect(new Set(serials).size).toBe(3);
      for (const [index, { ws, messages, seen }] of clients.entries()) {
        ws.send(`from ${index}`);
        await seen.until(() => seen.messages.length === 1);
        seen.connection.send(Buffer.from(`to ${index}`), false);
        while (messages.length < 1) await once(ws, "message");
        expect(String(messages[0])).toBe(`to ${index}`);
      }
      expect(started.recorder.seen.flatMap(({ closes }) => closes)).toEqual([]);
    });

    test("keeps its certificate if the files that came do not fit each other", async () => {
      makeCertificate(folder, "fourth");
      makeCertificate(folder, "fifth");
      place("fourth");
      const now = { certFile: file("now.crt"), keyFile: file("now.key") };
      const started = await stand.start({ tls: now });
      const before = await newcomerSees(started.transport.port);
      copyFileSync(file("fifth.crt"), file("now.crt"));
      expect(() => started.transport.reloadTls()).toThrow("tls: ");
      expect(await newcomerSees(started.transport.port)).toBe(before);
      place("fifth");
      started.transport.reloadTls();
      expect(await newcomerSees(started.transport.port)).not.toBe(before);
    });

    // What only one of them can do is no test of the other.
    test.each([name].filter((kind) => kind === "uws"))(
      "%s cannot know clients by certificates",
      async () => {
        const asks = { ...tls(), clientCaFile: file("server.crt") };
        await expect(stand.start({ tls: asks })).rejects.toThrow("does not tell whose certificate");
      },
    );

    test.each([name].filter((kind) => kind === "node"))(
      "%s knows clients by certificates",
      async () => {
        makeCertificates(folder);
        makeCertificate(folder, "server");
        const asks = { ...tls(), clientCaFile: file("ca.crt") };
        const started = await stand.start({ tls: { ...asks, clientCertificates: "optional" } });
        const shows = (leaf: string) => ({
          ca: ca(),
          cert: readFileSync(file(`${leaf}.crt`)),
          key: readFileSync(file(`${leaf}.key`)),
        });
        await stand.join(started, false, shows("client"));
        await stand.join(started, false, { ca: ca() });
        // Signed by itself and not by the authority.
        await stand.join(started, false, shows("other-self"));
        expect(started.recorder.upgrades.map(({ certificate }) => certificate)).toEqual([
          { names: ["CN=client", "DNS:localhost"] },
          undefined,
          undefined,
        ]);
        const required = await stand.start({ tls: asks });
        await stand.join(required, false, shows("client"));
        await expect(stand.join(required, false, { ca: ca() })).rejects.toThrow(REFUSED);
        await expect(stand.join(required, false, shows("other-self"))).rejects.toThrow(REFUSED);
      },
    );

    test("refuses TLS 1.1 and what is no TLS", async () => {
      const { transport, url } = await stand.start({ tls: tls() });
      const old = connectTls({
        host: "127.0.0.1",
        port: transport.port,
        ca: ca(),
        minVersion: "TLSv1.1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      });
      await expect(once(old, "secureConnect")).rejects.toThrow("protocol version");
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    });

    test("refuses to start with a key that is another's, and with what is no certificate", async () => {
      const wrongKey = { certFile: file("server.crt"), keyFile: file("third.key") };
      makeCertificate(folder, "third");
      await expect(stand.start({ tls: wrongKey })).rejects.toThrow("third.key");
      writeFileSync(file("none.crt"), "nothing");
      const none = { certFile: file("none.crt"), keyFile: file("server.key") };
      await expect(stand.start({ tls: none })).rejects.toThrow("none.crt");
    });
  });
}

/** A key and a certificate for 127.0.0.1 that signs itself. */
function makeCertificate(folder: string, name: string, passphrase?: string): void {
  const files = `-keyout ${joinPath(folder, name)}.key -out ${joinPath(folder, name)}.crt`;
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=127.0.0.1 " +
    `-addext subjectAltName=IP:127.0.0.1 ${files}`;
  const key = passphrase === undefined ? ["-nodes"] : ["-passout", `pass:${passphrase}`];
  const { status, stderr } = spawnSync("openssl", [...request.split(" "), ...key], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
}
