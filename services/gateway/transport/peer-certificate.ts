import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../access/credentials.ts";

/** Kinds of alternative names that a certificate may be known by. */
const ALTERNATIVE_NAME = /^(?:DNS|URI|email|IP Address):[^\s",]+$/;

/**
 * What the client of a socket is known by, if it has shown a certificate that an authority of ours
 * has signed: its subject as RFC 2253 writes it (`CN=desk-3,O=Firm`), then its alternative names
 * (`DNS:desk-3.example.com`).
 */
export function certificateOfSocket(socket: object): PeerCertificate | undefined {
  const { authorized, getPeerX509Certificate } = socket as Partial<TLSSocket>;
  if (authorized !== true || getPeerX509Certificate === undefined) return undefined;
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const subject = certificate.subject.split("\n").filter(Boolean).map(escapeValue).reverse();
  const others = (certificate.subjectAltName ?? "").split(", ");
  const names = others.filter((name) => ALTERNATIVE_NAME.test(name));
  return { names: [subject.join(","), ...names] };
}

/** What separates the parts of a subject must not come from within one. */
function escapeValue(part: string): string {
  const equals = part.indexOf("=");
  const value = part.slice(equals + 1).replaceAll(/[\\,+"<>;=]/g, String.raw`\$&`);
  return `${part.slice(0, equals)}=${value}`;
}
