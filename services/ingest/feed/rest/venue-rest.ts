import type { FeedEndpoints, RestRequest } from "../feed-adapter.ts";
import type { RequestPriority } from "./request-pacer.ts";
import type { SnapshotFetcher } from "./snapshot-fetcher.ts";
import type { RestAnswer, RestClient } from "./rest-client.ts";

/** Exactly one of the two is called, once. */
type RestHandlers = {
  /** The status is 200. */
  readonly onAnswer: (answer: RestAnswer) => void;
  /**
   * Also for a request that could not even wait; then it is called at once. With the status if
   * there was an answer.
   */
  readonly onFailure: (reason: string, status?: number) => void;
};

/**
 * A venue's REST within the one budget that everything asked of the venue shares, heeding its wish
 * for a pause.
 */
export class VenueRest {
  readonly endpoints: FeedEndpoints;
  readonly #restClient: RestClient;
  readonly #snapshots: SnapshotFetcher;

  constructor(options: {
    readonly endpoints: FeedEndpoints;
    readonly restClient: RestClient;
    /** Whose budget is used. */
    readonly snapshots: SnapshotFetcher;
  }) {
    this.endpoints = options.endpoints;
    this.#restClient = options.restClient;
    this.#snapshots = options.snapshots;
  }

  ask(request: RestRequest, handlers: RestHandlers, priority: RequestPriority = "normal"): void {
    const { onAnswer, onFailure } = handlers;
    const send = (): void => {
      this.#restClient.get(
        request,
        (answer) => {
          this.#snapshots.noteLimits(answer);
          if (answer.status === 200) onAnswer(answer);
          else onFailure(`status ${answer.status}`, answer.status);
        },
        (reason) => onFailure(reason),
      );
    };
    if (!this.#snapshots.pacer.submit(request.weight, send, priority)) {
      onFailure("too many requests wait");
    }
  }
}
