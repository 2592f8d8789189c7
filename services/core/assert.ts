/** One of our own rules does not hold: our bug, never the fault of the world or of its data. */
export class InvariantError extends Error {
  constructor(invariant: string) {
    super(`broken invariant: ${invariant}`);
    this.name = "InvariantError";
  }
}

/**
 * Throws if one of our own invariants does not hold. Nothing may catch that: the process ends.
 * State the invariant positively and as a constant text (`"sequences of a topic rise by 1"`): then
 * it costs one comparison and can stay on everywhere.
 * @throws InvariantError if `holds` is false.
 */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new InvariantError(invariant);
}
