/**
 * Whether a Sec-WebSocket-Extensions header holds an offer of permessage-deflate that we can answer
 * with `permessage-deflate; server_no_context_takeover` (RFC 7692). An offer that limits our window
 * (`server_max_window_bits`) is passed over, because one compressor with the full window serves
 * every connection; so is one with a parameter that we do not know.
 */
export function offersPlainDeflate(header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(",").some((offer) => isPlainDeflate(offer));
}

function isPlainDeflate(offer: string): boolean {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim().toLowerCase());
  if (name !== "permessage-deflate") return false;
  return parameters.every((parameter) => {
    const key = parameter.split("=")[0]?.trim();
    return (
      key === "client_max_window_bits" ||
      key === "client_no_context_takeover" ||
      key === "server_no_context_takeover"
    );
  });
}
