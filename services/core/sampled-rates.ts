/** A rate is measured over at least this time. */
const SAMPLE_US_MIN = 1_000_000;

type Sample = { run: number; value: number; atUs: number; perSecond: number | undefined };

/**
 * How fast counts grow, measured only when somebody asks: from the difference to what the count was
 * when it was asked for before. Costs nothing where the counting is done.
 */
export class SampledRates<Key extends object> {
  readonly #samples = new WeakMap<Key, Sample>();

  /**
   * The rate of the count that stands at `value` now; undefined when it is asked for the first
   * time, and until a second has passed. `run` differs when the count has begun anew.
   */
  of(key: Key, count: { readonly value: number; readonly run: number }, nowUs: number) {
    const { value, run } = count;
    const sample = this.#samples.get(key);
    if (sample === undefined || sample.run !== run || value < sample.value) {
      this.#samples.set(key, { run, value, atUs: nowUs, perSecond: undefined });
      return undefined;
    }
    const passedUs = nowUs - sample.atUs;
    if (passedUs >= SAMPLE_US_MIN) {
      sample.perSecond = ((value - sample.value) * 1e6) / passedUs;
      sample.value = value;
      sample.atUs = nowUs;
    }
    return sample.perSecond;
  }
}
