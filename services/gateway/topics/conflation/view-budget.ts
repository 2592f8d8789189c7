import type { GatewayMetrics } from "../../metrics.ts";

/** How many views a gateway makes at once, of all of its topics together. */
export class ViewBudget {
  readonly #viewsMax: number;
  readonly #metrics: Pick<GatewayMetrics, "views" | "viewsAtLimit">;
  #used = 0;

  constructor(viewsMax: number, metrics: Pick<GatewayMetrics, "views" | "viewsAtLimit">) {
    this.#viewsMax = viewsMax;
    this.#metrics = metrics;
  }

  /** Views that there are. */
  get used(): number {
    return this.#used;
  }

  /** Takes room for one more view; false if there is none. `freed` views are given back soon. */
  take(freed: number): boolean {
    if (this.#used - freed >= this.#viewsMax) return false;
    this.#used += 1;
    this.#metrics.views.set(this.#used);
    return true;
  }

  giveBack(): void {
    this.#used -= 1;
    this.#metrics.views.set(this.#used);
  }

  /** There was no room for a view: its subscriber shares another one, or is refused. */
  exceeded(outcome: "shared" | "refused"): void {
    this.#metrics.viewsAtLimit.inc({ outcome });
  }
}
