/**
 * Whole numbers from 0 to below a bound, the same ones in every run of a benchmark (xorshift32).
 * `seed` is none of 0.
 */
export function createRandom(seed = 0x9e3779b9) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
