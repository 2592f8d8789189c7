import { expect, test } from "vitest";
import { explainTls } from "./tls-reason.ts";

const WHERE = "../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n";

// The texts are those of Node 20 against a plain server and servers with such certificates.
test.each([
  [
    `cannot reach wss://a: write EPROTO 80BCCD19F07F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:${WHERE}`,
    "cannot reach wss://a: it does not speak TLS there; write http: or ws: instead of https: or wss:",
  ],
  [
    `80CC0BA6937F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:${WHERE}`,
    "it does not speak TLS there; write http: or ws: instead of https: or wss:",
  ],
  [
    `80CC0BA6937F0000:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:${WHERE}`,
    "the TLS handshake failed (sslv3 alert handshake failure)",
  ],
  [
    "at https://a: self-signed certificate",
    "at https://a: its certificate vouches for itself; if you trust it, name the file of its issuer in NODE_EXTRA_CA_CERTS",
  ],
  [
    "Hostname/IP does not match certificate's altnames: Host: b. is not cert's CN: a",
    "its certificate is for another name: Host: b. is not cert's CN: a",
  ],
  ["certificate has expired", "its certificate has expired"],
  ["connect ECONNREFUSED 127.0.0.1:1", "connect ECONNREFUSED 127.0.0.1:1"],
])("%s", (message, expected) => {
  expect(explainTls(message)).toBe(expected);
});
