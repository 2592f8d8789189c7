import { ManualClock } from "../../../test/support/manual-clock.ts";
import { FakeGateway, settle } from "./fake-gateway.ts";

/** Where a client loads code late, which comes, or fails to, when the test says so. */
export class LateStand<Code> {
  readonly gateway = new FakeGateway();
  readonly clock = new ManualClock();
  /** What its client said of its connection. */
  readonly states: string[] = [];
  /** How often the code was asked for. */
  loads = 0;
  readonly #code: Code;
  #asked: { resolve: (code: Code) => void; reject: (error: Error) => void }[] = [];

  constructor(code: Code) {
    this.#code = code;
  }

  load(): Promise<Code> {
    this.loads += 1;
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
    });
  }

  /** What is loaded in its time is asked for, and arrives. */
  async arrive(): Promise<void> {
    this.clock.advance(2_000);
    await settle();
    for (const { resolve } of this.#asked.splice(0)) resolve(this.#code);
    await settle();
  }

  /** Three attempts fail. */
  async fail(): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt++) {
      for (const { reject } of this.#asked.splice(0)) reject(new TypeError("not fetched"));
      await settle();
      if (attempt < 3) this.clock.advance(2_000);
      await settle();
    }
  }
}
