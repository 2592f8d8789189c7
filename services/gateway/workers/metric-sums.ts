import { AggregatorRegistry } from "prom-client";
import type { MetricsJson } from "./worker-messages.ts";
import type { WorkerPlace } from "./worker-place.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

/** The metrics of all workers together. What is counted never falls, whoever dies. */
export class MetricSums {
  readonly #places: readonly WorkerPlace[];
  readonly #questions: WorkerQuestions;
  /** What each worker said last. */
  readonly #last: (MetricsJson | undefined)[] = [];
  /** What workers had counted that have died, as they said it last. */
  #kept: MetricsJson[] = [];

  constructor(places: readonly WorkerPlace[], questions: WorkerQuestions) {
    this.#places = places;
    this.#questions = questions;
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    const answers = await Promise.all(this.#places.map((place) => this.#metricsOf(place)));
    const sums = await sumOf([...answers, ...this.#kept]).metrics();
    if (this.#kept.length > 1) {
      const kept = this.#kept;
      const joined = (await sumOf(kept).getMetricsAsJSON()) as unknown as MetricsJson;
      this.#kept = [joined, ...this.#kept.slice(kept.length)];
    }
    return sums;
  }

  /** The worker has died: what it counted stays in the sums. */
  keep(index: number): void {
    const last = this.#last[index];
    this.#last[index] = undefined;
    if (last !== undefined) this.#kept = [...this.#kept, countsOf(last)];
  }

  async #metricsOf(place: WorkerPlace): Promise<MetricsJson> {
    const answer = (await this.#questions.ask(place, "metrics")) as MetricsJson | undefined;
    if (answer === undefined) return countsOf(this.#last[place.index] ?? []);
    this.#last[place.index] = answer;
    return answer;
  }
}

/** Of metrics, those that only rise. */
function countsOf(metrics: MetricsJson): MetricsJson {
  return metrics.filter(({ type }) => type === "counter" || type === "histogram");
}

function sumOf(metrics: readonly MetricsJson[]) {
  return AggregatorRegistry.aggregate(metrics as unknown as object[]);
}
