import type { Clock } from "#core/clock.ts";
import { CallFailure } from "#bus/threads/port-calls.ts";
import type { WorkerMetricSet } from "./worker-metrics.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** Operators wait no longer for a worker; what it would have said is left out. */
const ANSWER_MS_MAX = 2_000;

type WorkerQuestionsParts = {
  readonly clock: Clock;
  readonly metrics: Pick<WorkerMetricSet, "workerAnswersMissed">;
};

/** Asks workers for operators, who get what comes in time. */
export class WorkerQuestions {
  readonly #parts: WorkerQuestionsParts;

  constructor(parts: WorkerQuestionsParts) {
    this.#parts = parts;
  }

  /** Undefined if the worker does not answer in time, or is not there. */
  async ask(place: WorkerPlace, question: string, argument?: unknown): Promise<unknown> {
    const { clock, metrics } = this.#parts;
    let cancel = (): void => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(ANSWER_MS_MAX, () => resolve(undefined));
    });
    const answering = place.call(question, argument).catch((error: unknown) => {
      if (!(error instanceof CallFailure)) throw error;
    });
    const answer = await Promise.race([answering, late]);
    cancel();
    if (answer === undefined) metrics.workerAnswersMissed.inc({ question });
    return answer;
  }
}
