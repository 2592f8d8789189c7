// What a message costs nats-server, in or out, and the client that publishes it.
import { readFileSync } from "node:fs";
import { connect } from "@nats-io/transport-node";
import { startNats } from "../load/nats.mjs";

const MESSAGES = 200_000;
const READERS = 3;
/** The kernel counts CPU time in hundredths of a second. */
const US_PER_COUNT = 10_000;

/** Microseconds by the names of the costs; undefined where there is no nats-server. */
export async function natsCosts() {
  const server = await startNats();
  if (server === undefined) return undefined;
  const serverUs = () => {
    const fields = readFileSync(`/proc/${server.pid}/stat`, "latin1").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * US_PER_COUNT;
  };
  const clientUs = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  async function measure(readers) {
    const connections = await Promise.all(
      Array.from({ length: readers + 1 }, () => connect({ servers: server.url })),
    );
    const [publisher, ...others] = connections;
    for (const other of others) other.subscribe(">", { callback: () => undefined });
    for (const other of others) await other.flush();
    const before = { server: serverUs(), client: clientUs() };
    for (let index = 1; index <= MESSAGES; index += 1) {
      publisher.publish(`md.v2.bench.trades.SYM${index % 100}`, new Uint8Array(80));
      if (index % 500 === 0) await publisher.flush();
    }
    for (const connection of connections) await connection.flush();
    const took = {
      server: (serverUs() - before.server) / (MESSAGES * (1 + readers)),
      client: (clientUs() - before.client) / MESSAGES,
    };
    for (const connection of connections) await connection.close();
    return took;
  }
  // The first is for what is measured to be compiled.
  await measure(READERS);
  const alone = await measure(0);
  const read = await measure(READERS);
  server.stop();
  return {
    natsServerUs: read.server,
    natsPublishUs: alone.client,
  };
}
