import { connect as dial } from "node:net";
import { endProgram, freePort, requireProgram, startProgram } from "./local-server.ts";

/** A real nats-server of this test's own, on the loopback interface. */
export type NatsServer = {
  readonly url: string;
  readonly port: number;
  /** Ends the process and waits for its end. Idempotent. */
  stop(): Promise<void>;
  /** Stops the process where it stands: sockets stay open and silent. */
  pause(): void;
  resume(): void;
  /** Stops it and starts it again on the same port. Subscriptions of the old one are forgotten. */
  restart(): Promise<void>;
};

/** See `requireProgram`. */
export const requireNatsServer = () => requireProgram("nats-server");

/** Starts a server on `port`, or a free one, and resolves when it accepts connections. */
export async function startNatsServer(
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<NatsServer> {
  const binary = requireNatsServer();
  if (binary === undefined) throw new Error("there is no nats-server");
  const port = options.port ?? (await freePort());
  const args = ["-a", "127.0.0.1", "-p", String(port), ...(options.args ?? [])];
  let child = await startProgram(binary, args, () => accepts(port));
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    stop: () => endProgram(child),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    restart: async () => {
      await endProgram(child);
      child = await startProgram(binary, args, () => accepts(port));
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, "127.0.0.1");
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    // The server speaks first, so a byte proves that it is one.
    socket.once("data", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}
