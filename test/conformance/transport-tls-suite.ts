import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { HttpResponse } from "#gateway/transport/transport.ts";
import { TransportStand } from "./transport-stand.ts";
import type { CreateTransport } from "./transport-stand.ts";

const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;
if (!HAS_OPENSSL) process.stdout.write("SKIPPED: transports with TLS; there is no openssl\n");

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
