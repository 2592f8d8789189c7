// Centrifugo, which gives the ticks of a turn to the subscribers of one channel as one publication.
// `node centrifugo-server.mjs '{"bytesPerTick":12,"program":"..."}'`, forked; turns.mjs says what
// it takes over IPC. What is published comes to it by its HTTP API, and the CPU time that counts is
// its own.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { serveTurns } from "../../load/turns.mjs";
import { payloads } from "./payloads.mjs";

const { bytesPerTick, program } = JSON.parse(process.argv[2]);
/** The kernel counts CPU time in hundredths of a second. */
const US_PER_COUNT = 10_000;
const START_MS_MAX = 20_000;
const payload = payloads(bytesPerTick);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const port = await freePort();

const ENVIRONMENT = {
  PATH: process.env.PATH,
  CENTRIFUGO_HTTP_SERVER_ADDRESS: "127.0.0.1",
  CENTRIFUGO_HTTP_SERVER_PORT: String(port),
  CENTRIFUGO_WEBSOCKET_HANDLER_PREFIX: "/v1/ws",
  CENTRIFUGO_CLIENT_INSECURE: "true",
  CENTRIFUGO_HTTP_API_INSECURE: "true",
  CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: "*",
  // The readers answer no pings of its protocol: there are none while it is measured.
  CENTRIFUGO_CLIENT_PING_INTERVAL: "600s",
  CENTRIFUGO_LOG_LEVEL: "error",
};
// The shell ends it when this process is gone, however that ended.
const shell = spawn("sh", ["-c", `"${program}" & echo $!; cat > /dev/null; kill $!`], {
  env: ENVIRONMENT,
  stdio: ["pipe", "pipe", "inherit"],
});
const [line] = await once(shell.stdout, "data");
const pid = Number(String(line).trim());
let ticksOfTurn = 0;

await untilItAnswers();
serveTurns({
  port,
  topics: 1,
  subscriptions: async () => {
    const { result } = await call("info", {});
    return result.nodes.reduce((sum, node) => sum + (node.num_subs ?? 0), 0);
  },
  publish: (_topic, ticks) => {
    ticksOfTurn += ticks;
  },
  endTurn: () => {
    const data = payload(ticksOfTurn).toString("latin1");
    ticksOfTurn = 0;
    call("publish", { channel: "ticks", data }).catch(() => undefined);
  },
  cpuUsage: () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
    return { user: Number(fields[11]) * US_PER_COUNT, system: Number(fields[12]) * US_PER_COUNT };
  },
});

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address();
  server.close();
  await once(server, "close");
  return free;
}

async function untilItAnswers() {
  const untilMs = performance.now() + START_MS_MAX;
  for (;;) {
    const answer = await call("info", {}).catch(() => undefined);
    if (answer?.result !== undefined) return;
    if (performance.now() > untilMs) throw new Error("Centrifugo did not start");
    await wait(100);
  }
}

function call(method, parameters) {
  const body = JSON.stringify(parameters);
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const options = { agent, host: "127.0.0.1", port, path: `/api/${method}`, method: "POST" };
    const asked = request({ ...options, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
