import type { Clock } from "#core/clock.ts";
import type { ConnectionPlan, ConnectionTicket, FeedAdapter } from "../feed-adapter.ts";
import type { RequestPacer } from "../rest/request-pacer.ts";
import type { VenueRest } from "../rest/venue-rest.ts";

export type ConnectionOpenerOptions = {
  readonly adapter: FeedAdapter;
  readonly plan: ConnectionPlan;
  readonly clock: Clock;
  /** Shared by all sessions of the venue. */
  readonly connectPacer: RequestPacer;
  /** Absent for recordings, which connect to what they recorded. */
  readonly rest: VenueRest | undefined;
};

/** Exactly one of the two is called, once; perhaps at once. */
export type OpeningHandlers = {
  /** It is our turn to dial this address. */
  readonly onTurn: (ticket: ConnectionTicket) => void;
  readonly onFailure: (reason: string) => void;
};

/**
 * What comes before a dial: asking for an address, where the venue hands them out, and then waiting
 * for the venue's pace of connects. In this order, because a pause of the venue's REST would
 * otherwise let the dials out together.
 */
export class ConnectionOpener {
  readonly #options: ConnectionOpenerOptions;
  #asked = 0;

  constructor(options: ConnectionOpenerOptions) {
    this.#options = options;
  }

  open(handlers: OpeningHandlers): void {
    const { adapter, plan, clock, rest } = this.#options;
    const request = rest === undefined ? undefined : adapter.connectRequest?.(plan, rest.endpoints);
    if (rest === undefined || request === undefined) {
      this.#waitForTurn({ url: plan.url }, handlers);
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
    const accepted = this.#options.connectPacer.submit(1, () => handlers.onTurn(ticket));
    if (!accepted) handlers.onFailure("too many connects wait");
  }
}
