import { expect, test } from "vitest";
import { offersPlainDeflate } from "./deflate-offer.ts";

test.each([
  ["permessage-deflate", true],
  ["permessage-deflate; client_max_window_bits", true],
  ["permessage-deflate; client_max_window_bits=12; client_no_context_takeover", true],
  ["Permessage-Deflate ; server_no_context_takeover", true],
  ["permessage-deflate; server_max_window_bits=10, permessage-deflate", true],
  ["permessage-deflate; server_max_window_bits=10", false],
  ["permessage-deflate; something_new", false],
  ["permessage-deflate; client_max_window_bits=8", true],
  ['permessage-deflate; client_max_window_bits="15"', true],
  ["permessage-deflate; client_max_window_bits=7", false],
  ["permessage-deflate; client_max_window_bits=16", false],
  ["permessage-deflate; client_max_window_bits=08", false],
  ["permessage-deflate; client_max_window_bits=", false],
  ["permessage-deflate; client_max_window_bits=x", false],
  ["permessage-deflate; client_max_window_bits; client_max_window_bits=9", false],
  ["permessage-deflate; client_no_context_takeover=1", false],
  ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", false],
  ["permessage-deflate; server_no_context_takeover=true", false],
  ["permessage-deflate; ", false],
  ["permessage-deflate; server_max_window_bits=99, permessage-deflate", true],
  ["x-webkit-deflate-frame", false],
  ["permessage-deflate2", false],
  ["", false],
  [undefined, false],
])("the offer %s can be answered plainly: %s", (header, expected) => {
  expect(offersPlainDeflate(header)).toBe(expected);
});
