import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * In `folder`, an authority (`ca.crt`) and certificates that it signs: `server` and `client` for
 * localhost, `stranger` for another name. Needs openssl.
 */
export function makeCertificates(folder: string): void {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const caFiles = ["-keyout", file("ca.key"), "-out", file("ca.crt")];
  openssl("req", "-x509", ...key, ...caFiles, "-days", "2", "-subj", "/CN=test authority");
  const names = {
    server: "DNS:localhost,IP:127.0.0.1",
    client: "DNS:localhost",
    stranger: "DNS:stranger.invalid",
  };
  for (const [name, hosts] of Object.entries(names)) {
    writeFileSync(file("names.txt"), `subjectAltName=${hosts}\n`);
    const request = ["-keyout", file(`${name}.key`), "-out", file(`${name}.csr`)];
    openssl("req", ...key, ...request, "-subj", `/CN=${name}`);
    const signer = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    const files = ["-in", file(`${name}.csr`), "-out", file(`${name}.crt`)];
    openssl("x509", "-req", ...files, ...signer, "-days", "2", "-extfile", file("names.txt"));
  }
}
