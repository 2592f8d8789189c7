import { resolveListenAddress } from "../listen-address.ts";
import type { TransportOptions } from "../transport.ts";
import type { TemplatedApp, us_listen_socket, us_socket, UwsModule } from "../uws-module.ts";

/** What the module has and its types do not say. */
export type AcceptingApp = TemplatedApp & {
  /** Names the app to others, of any thread of the process. */
  getDescriptor(): unknown;
  /** What connects from now on goes to the apps that were added, in turn. */
  addChildAppDescriptor(descriptor: unknown): void;
  removeChildAppDescriptor(descriptor: unknown): void;
};

/** Where an app listens. */
type UwsListening = {
  readonly socket: us_listen_socket;
  /** The IP address. */
  readonly address: string;
  readonly port: number;
};

/** Has the app listen. Rejects if the address is taken, or none of this machine's. */
export async function listenUws(
  uws: UwsModule,
  app: TemplatedApp,
  { host, port }: Pick<TransportOptions, "host" | "port">,
): Promise<UwsListening> {
  const address = await resolveListenAddress(host);
  // The typings leave out the form with host and options, which the module accepts.
  const listen = app.listen.bind(app) as unknown as (
    host: string,
    port: number,
    options: number,
    callback: (socket: us_listen_socket | false) => void,
  ) => void;
  return new Promise((resolve, reject) => {
    // Exclusive: otherwise a second process could share the port without anybody noticing.
    listen(address, port, 1, (socket) => {
      if (socket === false) {
        const where = address === host ? host : `${host} (${address})`;
        const reason = "the address is taken or not ours; choose another host or port";
        reject(new Error(`cannot listen on ${where}:${port}: ${reason}`));
        return;
      }
      const bound = uws.us_socket_local_port(socket as unknown as us_socket);
      resolve({ socket, address, port: bound });
    });
  });
}
