/** Requests of one connection that are remembered; of more, the oldest is forgotten. */
export const PENDING_REQUESTS_MAX = 1024;

/**
 * What was asked for on one connection, for venues whose answers name only the request or not even
 * that. Kept in the order in which it was sent.
 */
export class PendingRequests<Request> {
  readonly #requests = new Map<string, Request>();
  #noted = 0;

  /** Requests that are remembered. */
  get size(): number {
    return this.#requests.size;
  }

  /** Remembers a request by the id that its answer will repeat; without one by its order alone. */
  note(request: Request, id?: string): void {
    this.#noted += 1;
    this.#requests.set(id ?? `${WITHOUT_ID}${this.#noted}`, request);
    if (this.#requests.size <= PENDING_REQUESTS_MAX) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  /** The request with this id, which stays remembered. */
  get(id: string): Request | undefined {
    return this.#requests.get(id);
  }

  /** The request with this id, which is forgotten. */
  take(id: string): Request | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  /** The oldest request of which this is true, which is forgotten. */
  takeOldest(isWanted: (request: Request) => boolean = () => true): Request | undefined {
    for (const [id, request] of this.#requests) {
      if (!isWanted(request)) continue;
      this.#requests.delete(id);
      return request;
    }
    return undefined;
  }
}

/** Begins the keys of requests without an id; no venue's id begins so. */
const WITHOUT_ID = "\u0000";
