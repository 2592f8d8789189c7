const TRUST = "if you trust it, name the file of its issuer in NODE_EXTRA_CA_CERTS";
const SELF_SIGNED = `its certificate vouches for itself; ${TRUST}`;
const UNKNOWN_ISSUER = `its certificate is from an issuer that this machine does not know; ${TRUST}`;

/** What a code of Node's means to a user. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection was cut before it was open"],
  ["ENOTFOUND", "there is no host of this name"],
  ["EAI_AGAIN", "the name of the host cannot be looked up now"],
  ["ETIMEDOUT", "the host does not answer"],
  ["EHOSTUNREACH", "there is no way to the host"],
  ["ENETUNREACH", "there is no network to the host"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", SELF_SIGNED],
  ["SELF_SIGNED_CERT_IN_CHAIN", SELF_SIGNED],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", UNKNOWN_ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT", UNKNOWN_ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UNKNOWN_ISSUER],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet; is the clock of this machine right?"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
]);

/** How OpenSSL writes an error: thread, number, library, function, reason, source file and line. */
const OPENSSL_ERROR = /[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]*)/;

/** What is wrong when a handshake fails for this reason of OpenSSL's. */
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

/** A sentence about why a socket of Node could not be opened, or broke. */
export function explainSocketFailure(error: Error): string {
  const { message } = error;
  const handshake = OPENSSL_ERROR.exec(message)?.[1];
  if (handshake !== undefined) return explainHandshake(handshake);
  const code = "code" in error ? String(error.code) : "";
  const reason = REASONS.get(code);
  // Name lookups of several addresses give an error without a message of its own.
  return reason === undefined ? message || code : `${reason} (${code})`;
}

/** What an HTTP answer says in place of accepting a WebSocket. */
type Refusal = {
  readonly status: number;
  readonly path: string;
  readonly location: string | undefined;
  /** The begin of its body. */
  readonly body: string;
};

const SAID_CHARACTERS_MAX = 200;
/** What a terminal could obey, or what turns the direction of writing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** A sentence about a server that answered a WebSocket's request with something else. */
export function explainRefusal({ status, path, location, body }: Refusal): string {
  const answered = `the server answered ${status} at the path ${path}`;
  if (location !== undefined) return `${answered}, and points to ${visible(location)}`;
  const said = messageOf(body);
  if (said !== "") return `${answered}: ${said}`;
  return status === 404 ? `${answered}: there is no WebSocket of a gateway` : answered;
}

/** The message of an error as gateways give it; empty if there is none. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === "string" ? visible(message) : "";
  } catch {
    return "";
  }
}

function visible(text: string): string {
  return text.replaceAll(INVISIBLE, " ").trim().slice(0, SAID_CHARACTERS_MAX);
}
