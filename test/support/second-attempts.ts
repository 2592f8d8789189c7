// Says which tests passed at the second attempt only: each of them has something to find.
import type { Reporter, TestCase } from "vitest/node";

export default class SecondAttempts implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) this.#names.push(test.fullName);
  }

  onTestRunEnd(): void {
    for (const name of this.#names) process.stdout.write(`passed at a second attempt: ${name}\n`);
  }
}
