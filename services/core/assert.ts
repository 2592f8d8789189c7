/** Something holds that must never hold: a bug of ours, never of the world or of somebody's data. */
export class InvariantError extends Error {
  constructor(invariant: string) {
    super(`broken invariant: ${invariant}`);
    this.name = "InvariantError";
  }
}

/**
 * Throws if one of our own invariants does not hold; nothing may catch that, so it ends the process.
 * State the invariant positively and as a constant text (`"sequences of a topic rise by 1"`): then
 * it costs one comparison and can stay on everywhere.
 * @throws InvariantError if `holds` is false.
 */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new InvariantError(invariant);
}
