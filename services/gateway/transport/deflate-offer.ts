/**
 * Whether a Sec-WebSocket-Extensions header holds an offer of permessage-deflate that we can answer
 * with `permessage-deflate; server_no_context_takeover` (RFC 7692). An offer that limits our window
 * (`server_max_window_bits`) is passed over, because one compressor with the full window serves
 * every connection. So is an invalid one: with a parameter that is unknown, stands twice, has a
 * value that it must not have, or lacks one that it must have (section 7).
 */
export function offersPlainDeflate(header: string | undefined): boolean {
  if (header === undefined) return false;
  // No parameter that we take has a comma, a semicolon or an escape in it, so quoted values that
  // have them are cut into something that is not valid either.
  return header.split(",").some((offer) => isPlainDeflate(offer));
}

function isPlainDeflate(offer: string): boolean {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim().toLowerCase());
  if (name !== "permessage-deflate") return false;
  const keys = new Set(parameters.map((parameter) => parameter.split("=")[0]?.trim()));
  return keys.size === parameters.length && parameters.every((text) => isPlainParameter(text));
}

/** Window sizes are decimal numbers without leading zeroes, from 8 to 15, quoted or not. */
const CLIENT_WINDOW = /^client_max_window_bits(\s*=\s*(?:([89]|1[0-5])|"([89]|1[0-5])"))?$/;

function isPlainParameter(parameter: string): boolean {
  return (
    parameter === "client_no_context_takeover" ||
    parameter === "server_no_context_takeover" ||
    CLIENT_WINDOW.test(parameter)
  );
}
