/** Flags in the low bits of an entry of `prices` that is a level of a book. */
export const LEVEL_REMOVED = 1;
export const LEVEL_ASK = 2;

/** The residue of a sequence in `times`: prime to every usual batch size. */
export const SEQUENCE_RESIDUE_MODULUS = 127;

/**
 * Bases of a chain are counted modulo this, so that a batch says which one it counts from. With the
 * residue it takes two bytes at most, and one until the first base that says something new.
 */
export const GENERATIONS = 128;

/** What `times` begins with: the residue of the last sequence, and the generation of the base. */
export function markOf(lastSequence: number, generation: number): number {
  return (lastSequence % SEQUENCE_RESIDUE_MODULUS) + generation * SEQUENCE_RESIDUE_MODULUS;
}

/** At least every so many batches say their sequence whole. */
export const SEQUENCE_ANCHOR_BATCHES = 64;
