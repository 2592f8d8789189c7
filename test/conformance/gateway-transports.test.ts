import { createNodeTransport } from "#gateway/transport/node/node-transport.ts";
import { createUwsTransport } from "#gateway/transport/uws/uws-transport.ts";
import { transportSuite } from "./transport-suite.ts";

transportSuite("uws", createUwsTransport, { idleTimeoutMs: 8_000, oversizedCodes: [1006] });
transportSuite("node", createNodeTransport, { idleTimeoutMs: 400, oversizedCodes: [1006, 1009] });
