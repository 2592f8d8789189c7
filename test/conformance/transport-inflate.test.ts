/** How long a message that came deflated may be over `ws`, which inflates before we see it. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { createNodeTransport } from "#gateway/transport/node/transport.ts";
import { INFLATED_BYTES_MAX } from "#gateway/transport/transport-options.ts";
import { TransportStand } from "./transport-stand.ts";

const MEBIBYTE = 1024 * 1024;
const stand = new TransportStand(createNodeTransport);
afterEach(() => stand.stop());

async function fateOf(options: {
  readonly bytes: number;
  readonly deflates: boolean;
  readonly messageBytesMax: number;
}): Promise<number | string> {
  const { bytes, deflates, messageBytesMax } = options;
  const started = await stand.start({ messageBytesMax });
  const { ws, seen } = await stand.join(started, deflates);
  const closed = once(ws, "close");
  ws.send(Buffer.alloc(bytes), { compress: deflates });
  await seen.until(() => seen.closes.length + seen.messages.length > 0);
  if (seen.messages.length > 0) return seen.messages[0]?.bytes.length ?? 0;
  const [code] = await closed;
  return `closed with ${String(code)}`;
}

test.each([
  [INFLATED_BYTES_MAX - 1, INFLATED_BYTES_MAX - 1],
  [INFLATED_BYTES_MAX, INFLATED_BYTES_MAX],
  [INFLATED_BYTES_MAX + 1, "closed with 1009"],
  [MEBIBYTE, "closed with 1009"],
])("of %d bytes, deflated: %s", async (bytes, fate) => {
  expect(await fateOf({ bytes, deflates: true, messageBytesMax: MEBIBYTE })).toBe(fate);
});

test.each([
  [INFLATED_BYTES_MAX + 1, INFLATED_BYTES_MAX + 1],
  [MEBIBYTE, MEBIBYTE],
  [MEBIBYTE + 1, "closed with 1009"],
])("of %d bytes as they are: %s", async (bytes, fate) => {
  expect(await fateOf({ bytes, deflates: false, messageBytesMax: MEBIBYTE })).toBe(fate);
});

test("a lower limit of every message is that of what inflates", async () => {
  const small = { deflates: true, messageBytesMax: 1_000 };
  expect(await fateOf({ bytes: 1_000, ...small })).toBe(1_000);
  expect(await fateOf({ bytes: 1_001, ...small })).toBe("closed with 1009");
});
