import { MessageChannel } from "node:worker_threads";
import { expect, test } from "vitest";
import type { StartThread } from "#gateway/workers/worker-place.ts";
import { startGatewayThread } from "./gateway-threads.ts";

/** Says as the reason of its end how large its young space may be. */
const PROGRAM = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { resourceLimits } from "node:worker_threads";
    throw new Error(String(resourceLimits.maxYoungGenerationSizeMb));
  `)}`,
);

test("a thread has a young space that is collected in a short time", async () => {
  const start = startGatewayThread("silent", { program: PROGRAM, execArgv: [] });
  const [bus, objects, calls] = [1, 2, 3].map(() => new MessageChannel().port1);
  const given = [{ index: 0 }, { bus, objects, calls }] as unknown as Parameters<StartThread>;
  const reason = await new Promise((resolve) => start(...given).onExit(resolve));
  // Of three parts of the young space two are the halves that are copied: 8 MiB each.
  expect(reason).toBe("24");
});
