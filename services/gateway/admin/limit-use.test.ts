import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { registerLimitUse } from "../metrics.ts";
import { limitUse } from "./limit-use.ts";

const LIMITS = { connectionsMax: 10, topicsMax: 200, viewsMax: 40, instrumentsMax: 1_000 };

test.each([
  [9, "0.9"],
  [10, "1"],
  [11, "1.1"],
])(
  "%i of 10 sockets are shown as %s of the limit, read when they are asked for",
  async (n, part) => {
    const registry = new Registry();
    const gateway = { sockets: 0 };
    const parts = { gateway, hub: { topics: 50, views: 10 }, catalog: { size: 1_000 } };
    registerLimitUse(registry, () => limitUse(LIMITS, parts));
    gateway.sockets = n;
    const text = await registry.metrics();
    const name = "tickwire_gateway_limit_used_ratio";
    expect(text).toContain(`${name}{limit="connectionsMax"} ${part}\n`);
    expect(text).toContain(`${name}{limit="topicsMax"} 0.25\n`);
    expect(text).toContain(`${name}{limit="viewsMax"} 0.25\n`);
    expect(text).toContain(`${name}{limit="instrumentsMax"} 1\n`);
  },
);
