/** Ids of connections are numbers; a transport does not count its own that far. */
const FIRST = 2 ** 40;

/** Numbers the connections that HTTP carries, apart from those of the transport. */
export class ConnectionIds {
  #next = FIRST;

  next(): number {
    const id = this.#next;
    this.#next += 1;
    return id;
  }
}
