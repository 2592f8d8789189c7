import { afterEach, expect, test } from "vitest";
import { OPTIONS } from "#test/conformance/transport-stand.ts";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";
import { selectTransport } from "./select-transport.ts";
import type { TransportChoice } from "./select-transport.ts";
import type { Transport, TransportHandler } from "./transport.ts";

const HANDLER: TransportHandler<undefined> = {
  onUpgrade: () => ({ kind: "refuse", response: { status: 400, headers: {}, body: "" } }),
  onRefused: () => {},
  onConnection: () => {
    throw new Error("not reached");
  },
  onHttp: () => Promise.resolve({ status: 200, headers: {}, body: "here" }),
};

const open: Transport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

async function select(choice: TransportChoice, load?: () => Promise<never>) {
  const reasons: string[] = [];
  const transport = await selectTransport(
    {
      choice,
      onFallback: (reason) => reasons.push(reason),
      ...(load === undefined ? {} : { load }),
    },
    OPTIONS,
    HANDLER,
  );
  open.push(transport);
  return { transport, reasons };
}

test.runIf(UWS_IS_EXPECTED)(
  "auto takes the native module where it loads, and says nothing",
  async () => {
    const { transport, reasons } = await select("auto");
    expect(transport.kind).toBe("uws");
    expect(reasons).toEqual([]);
  },
);

test("auto falls back where the native module cannot load, says so once, and serves", async () => {
  const { transport, reasons } = await select("auto", () =>
    Promise.reject(new Error("no build for this platform")),
  );
  expect(transport.kind).toBe("node");
  expect(reasons).toEqual(["no build for this platform"]);
  const response = await fetch(`http://127.0.0.1:${transport.port}/`);
  expect(await response.text()).toBe("here");
});

test("node never loads the native module", async () => {
  const { transport } = await select("node", () => Promise.reject(new Error("loaded")));
  expect(transport.kind).toBe("node");
});
