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
  ["x-webkit-deflate-frame", false],
  ["permessage-deflate2", false],
  ["", false],
  [undefined, false],
])("the offer %s can be answered plainly: %s", (header, expected) => {
  expect(offersPlainDeflate(header)).toBe(expected);
});
