import type { ConnectionPlan, ConnectionTicket } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import type { SessionNetwork } from "./feed-session-options.ts";

type ConnectionOpenerOptions = VenueContext & {
  readonly plan: ConnectionPlan;
  /** Without REST, the plan's own address is dialled: recordings connect to what they recorded. */
  readonly network: Pick<SessionNetwork, "address" | "rest">;
};

/** Exactly one of the two is called, once; perhaps at once. */
type OpeningHandlers = {
  /** It is our turn to dial this address. */
  readonly onTurn: (ticket: ConnectionTicket) => void;
  readonly onFailure: (reason: string) => void;
};

/**
 * Does what comes before a dial: asks for an address, where the venue hands them out, and then
 * waits for the venue's pace of connects. The order matters: sessions that waited for an address
 * after their turn would all dial together when a pause of the venue's REST ends.
 */
export class ConnectionOpener {
  readonly #options: ConnectionOpenerOptions;
  #asked = 0;
  /** The address of the plan that is dialled next. */
  #url: string;

  constructor(options: ConnectionOpenerOptions) {
    this.#options = options;
    this.#url = options.plan.url;
  }

  /** A connection to this address did not open: the plan's other one, if it has one, is next. */
  noteUnopened(url: string): void {
    const { plan } = this.#options;
    if (url !== this.#url || plan.fallbackUrl === undefined) return;
    this.#url = url === plan.url ? plan.fallbackUrl : plan.url;
  }

  open(handlers: OpeningHandlers): void {
    const { adapter, plan, clock, network } = this.#options;
    const { rest } = network;
    const request = rest === undefined ? undefined : adapter.connectRequest?.(plan, rest.endpoints);
    if (rest === undefined || request === undefined) {
      this.#waitForTurn({ url: this.#url }, handlers);
      return;
    }
    this.#asked += 1;
    const connectionId = `${clock.nowUs().toString(36)}-${this.#asked}`;
    rest.ask(request, {
      onAnswer: ({ body }) => {
        const ticket = adapter.parseConnection?.(body, { plan, connectionId });
        if (ticket === undefined) handlers.onFailure("no address in the answer");
        else this.#waitForTurn(ticket, handlers);
      },
      onFailure: (reason) => handlers.onFailure(`no address: ${reason}`),
    });
  }

  #waitForTurn(ticket: ConnectionTicket, handlers: OpeningHandlers): void {
    const { connects, connections } = this.#options.network.address;
    const fail = (): void => handlers.onFailure("too many connections wait for their turn");
    const accepted = connections.submit(() => {
      if (!connects.submit(1, () => handlers.onTurn(ticket))) fail();
    });
    if (!accepted) fail();
  }
}
