/** How OpenSSL writes an error: thread, number, library, function, reason, source file and line. */
const OPENSSL_ERROR =
  /(?:(?:write|read) EPROTO )?[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]*)(?::[^\n]*)?\n?/g;

const TRUST = "if you trust it, name the file of its issuer in NODE_EXTRA_CA_CERTS";

/** What OpenSSL and Node say about a certificate, and what it means to a user. */
const CERTIFICATE_REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /self-signed certificate(?: in certificate chain)?(?:; if [^\n]*)?/g,
    `its certificate vouches for itself; ${TRUST}`,
  ],
  [
    /unable to (?:verify the first certificate|get (?:local )?issuer certificate)(?:; if [^\n]*)?/g,
    `its certificate is from an issuer that this machine does not know; ${TRUST}`,
  ],
  [/certificate has expired/g, "its certificate has expired"],
  [/certificate is not yet valid/g, "its certificate is not valid yet; is the clock right?"],
  [
    /Hostname\/IP does not match certificate's altnames:\s*/g,
    "its certificate is for another name: ",
  ],
];

/** A message in which what OpenSSL wrote is replaced by a sentence about it. */
export function explainTls(message: string): string {
  let text = message.replaceAll(OPENSSL_ERROR, (_, reason: string) => explainHandshake(reason));
  for (const [pattern, sentence] of CERTIFICATE_REASONS) text = text.replaceAll(pattern, sentence);
  return text;
}

function explainHandshake(reason: string): string {
  // What comes in place of a TLS record is most often plain HTTP.
  if (/wrong version number|packet length too long|unknown protocol|http request/.test(reason)) {
    return "it does not speak TLS there; write http: or ws: instead of https: or wss:";
  }
  if (/unsupported protocol|no protocols available|protocol version/.test(reason)) {
    return "it speaks no version of TLS that this program speaks";
  }
  if (/certificate required|bad certificate|unknown ca/.test(reason)) {
    return "it does not accept this program without a certificate that it knows";
  }
  return `the TLS handshake failed (${reason.trim()})`;
}
